"""``/metrics``, and who may read it: task names and failures tell much about a home.

Who knows the token may, from anywhere. So may who asks from this machine itself, such as a
Prometheus beside it; but a reverse proxy on this machine makes everybody's request come from here.
So one that bears any trace of a proxy does not count as local, nor one for another host name than
this machine's own. What the traces say is not believed: anybody can write them.
"""

import importlib.util
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from asyncsched import conf
from asyncsched.web import health
from asyncsched.web.origin import LOCAL

PROXIES = frozenset({"forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip"})
MISSING = "Metrics need prometheus-client: pip install 'asyncsched[metrics]'\n"


@require_safe
@never_cache
async def metrics(request: HttpRequest) -> HttpResponse:
    """What this process has counted, in the format that the client asks for."""
    token = conf.load().metrics_token
    if not may_read(request, token):
        if token:
            return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
        return HttpResponse(status=HTTPStatus.FORBIDDEN)
    if importlib.util.find_spec("prometheus_client") is None:
        return HttpResponse(MISSING, status=HTTPStatus.NOT_IMPLEMENTED, content_type="text/plain")
    from asyncsched.web.exposition import exposition  # noqa: PLC0415 - an optional extra

    scope = getattr(request, "scope", {})
    found = health.health_of(scope)
    body, content_type = await sync_to_async(exposition)(
        health.metrics_of(scope),
        leader=found is not None and found.leader,
        accept=request.headers.get("Accept", ""),
    )
    return HttpResponse(body, content_type=content_type)


def may_read(request: HttpRequest, token: str) -> bool:
    """True for who shows *token* ("" is no token), and for this machine itself unless it shows another."""
    credential = request.headers.get("Authorization")
    if credential is None:
        return is_local(request)
    scheme, _, given = credential.partition(" ")
    # Header fields are bytes, which Django has read as latin-1.
    is_right = constant_time_compare(given.encode("latin-1"), token)
    return bool(token) and scheme.lower() == "bearer" and is_right


def is_local(request: HttpRequest) -> bool:
    """True if *request* comes from a client on this machine, for all that can be seen by it."""
    names = {name.lower() for name in request.headers}
    if names & PROXIES or any(name.startswith("x-forwarded-") for name in names):
        return False
    host, _ = split_domain_port(request.META.get("HTTP_HOST", ""))
    return validate_host(host, LOCAL) and _is_loopback(request.META.get("REMOTE_ADDR", ""))


def _is_loopback(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:  # none, as over a Unix socket
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return (mapped or parsed).is_loopback
