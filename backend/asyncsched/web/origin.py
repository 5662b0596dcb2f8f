"""Which web pages may open our WebSockets: our own, and those the settings trust.

A browser sends cookies with a WebSocket handshake from any page, so the handshake must be refused
where an HTTP form would need a CSRF token. Channels' ``AllowedHostsOriginValidator`` compares host
names only: a page on another port of the same machine, as in many a home, would pass, and a client
without an Origin, which is no browser, would not.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain

from asyncsched.server.lifespan import Application, Receive, Scope, Send

LOCAL = [".localhost", "127.0.0.1", "[::1]"]
DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class SameOrigin:
    """ASGI middleware for WebSockets: refuses a handshake (403) whose Origin is not this site's.

    The rule is that of Django's CSRF check: the Origin must be the requested host, port included,
    which must be in ALLOWED_HOSTS; or be in CSRF_TRUSTED_ORIGINS. No Origin at all passes, since
    browsers always send one.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if is_own(headers.get(b"origin"), _requested_host(headers)):
            await self._application(scope, receive, send)
        else:
            await refuse(scope, receive, send)


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """An ASGI application that refuses every handshake: for addresses that do not exist."""
    await receive()
    await send({"type": "websocket.close"})


def is_own(origin: str | None, host: str) -> bool:
    """True if a page of *origin* (an Origin header, None if there was none) may open sockets on *host*."""
    allowed = settings.ALLOWED_HOSTS or (LOCAL if settings.DEBUG else [])
    if not validate_host(split_domain_port(host)[0], allowed):
        return False
    if origin is None:
        return True
    parts = urlsplit(origin.lower())
    if parts.scheme not in DEFAULT_PORTS or not parts.netloc:
        return False
    default_port = DEFAULT_PORTS[parts.scheme]
    own = parts.netloc.removesuffix(default_port) == host.lower().removesuffix(default_port)
    return own or _is_trusted(parts.scheme, parts.netloc, settings.CSRF_TRUSTED_ORIGINS)


def _is_trusted(scheme: str, netloc: str, trusted: Iterable[str]) -> bool:
    patterns = (urlsplit(pattern) for pattern in trusted)
    return any(
        pattern.scheme == scheme and is_same_domain(netloc, pattern.netloc.removeprefix("*")) for pattern in patterns
    )


def _requested_host(headers: dict[bytes, str]) -> str:
    if settings.USE_X_FORWARDED_HOST and b"x-forwarded-host" in headers:
        return headers[b"x-forwarded-host"]
    return headers.get(b"host", "")
