"""Delivery through Apprise, to the addresses in NOTIFY_URLS.

Apprise addresses contain tokens, its log repeats them at debug level, and which part of an address
is secret differs from service to service. So nothing that Apprise says leaves this module: its log
is cut off, and of an error only the kind and the HTTP status are told.
"""

import logging
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.utils.crypto import salted_hmac

from notifications.transports.base import Message, TransportError

logger = logging.getLogger(__name__)

_STATUS = re.compile(r"error=(\d{3})\b")


_heard: ContextVar[list[str] | None] = ContextVar("notifications_heard", default=None)


class _Ears(logging.Handler):
    """Takes what Apprise says to the caller that is listening, and to nobody else."""

    def emit(self, record: logging.LogRecord) -> None:
        heard = _heard.get()
        if heard is not None:
            heard.append(record.getMessage())


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Yield the list that fills with what Apprise says meanwhile, here or in the threads it sends from."""
    heard: list[str] = []
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


# Apprise and the libraries it sends with, which nothing else here uses: urllib3 logs whole paths.
for _name in ("apprise", "urllib3", "requests_oauthlib", "slixmpp"):
    _chatty = logging.getLogger(_name)
    _chatty.handlers = [_Ears(logging.WARNING)]
    _chatty.propagate = False


class _Lane:
    """A way to one address, for one message at a time."""

    def __init__(self, url: str, *, pauses: bool) -> None:
        """Open the way; ValueError if Apprise does not know the address. *pauses*: as Apprise does between messages."""
        # Here and not above: with its first address it takes up to a second. Who has no
        # address pays nothing, and who has one pays it in a thread.
        import apprise  # noqa: PLC0415

        self._lock = threading.Lock()
        self._apprise: Any = apprise.Apprise()
        with _listening():
            if not self._apprise.add(url):
                raise ValueError
        if not pauses:
            for service in self._apprise:
                service.request_rate_per_sec = 0

    def deliver(self, message: Message) -> str:
        """Deliver *message*; return why it did not arrive, nothing if it did."""
        with self._lock, _listening() as heard:
            delivered = bool(self._apprise.notify(title=message.title, body=message.body))
            return "" if delivered else _reason(heard)


class AppriseTarget:
    """One Apprise address.

    Urgent messages have a lane of their own: to most services Apprise leaves 5.5 s between two
    messages, and one that is not answered takes some 10 s.
    """

    def __init__(self, url: str, position: int) -> None:
        """Take the *position*-th entry (from 1) of NOTIFY_URLS; raise TransportError if Apprise refuses it."""
        self.name = f"NOTIFY_URLS entry {position} ({_scheme(url)})"
        self.key = salted_hmac("notifications.target", url, algorithm="sha256").hexdigest()[:16]
        self.channels = _channels(url)
        self._failing = False
        try:
            self._ordinary, self._urgent = _Lane(url, pauses=True), _Lane(url, pauses=False)
        except ValueError:
            raise TransportError(f"{self.name} is not an address Apprise knows", permanent=True) from None

    def takes(self, channel: str) -> bool:
        """Return whether messages of *channel* go here; those without a channel, an empty one, go everywhere."""
        return not channel or channel in self.channels

    def send(self, message: Message) -> None:
        """Deliver *message*; raise TransportError if it did not arrive. Logs when an outage begins and ends."""
        reason = self.attempt(message)
        self._log_change(failing=bool(reason), reason=reason)
        if reason:
            raise TransportError(f"{self.name}: {reason}", permanent=False)

    def attempt(self, message: Message) -> str:
        """Deliver *message*; return why it did not arrive, nothing if it did."""
        return (self._urgent if message.urgent else self._ordinary).deliver(message)

    def _log_change(self, *, failing: bool, reason: str) -> None:
        if failing and not self._failing:
            logger.warning("%s takes no messages: %s", self.name, reason, extra={"action": "target_failing"})
        if self._failing and not failing:
            logger.info("%s takes messages again", self.name, extra={"action": "target_recovered"})
        self._failing = failing


def load(urls: Sequence[str]) -> tuple[list[AppriseTarget], list[TransportError]]:
    """Return the targets at *urls*, and what is wrong with those that cannot be used."""
    targets: list[AppriseTarget] = []
    refused: list[TransportError] = []
    for position, url in enumerate(urls, start=1):
        try:
            targets.append(AppriseTarget(url, position))
        except TransportError as error:
            refused.append(error)
    return targets, refused


class AppriseTransport:
    """Every usable address of NOTIFY_URLS."""

    def __init__(self, urls: Sequence[str]) -> None:
        """Load *urls*; log those that cannot be used, by their place in the list."""
        self._targets, refused = load(urls)
        for error in refused:
            logger.error("%s", error, extra={"action": "target_refused"})

    def targets(self, channel: str) -> Sequence["AppriseTarget"]:
        """Return the targets of *channel*, all of them if it is empty; raise TransportError if there is none."""
        found = [target for target in self._targets if target.takes(channel)]
        if not found:
            raise TransportError(no_entry(channel), permanent=False)
        return found


def no_entry(channel: str) -> str:
    """Return the sentence for a *channel* that has no usable address."""
    return f"NOTIFY_URLS has no entry {f'with ?tag={channel}' if channel else 'that can be used'}"


_loading = threading.Lock()


def apprise_transport(urls: tuple[str, ...]) -> AppriseTransport:
    """Return the transport for *urls*, the same one as long as they stay the same."""
    with _loading:  # or two threads that come first at the same time would each log what cannot be used
        return _apprise_transport(urls)


@lru_cache(maxsize=1)
def _apprise_transport(urls: tuple[str, ...]) -> AppriseTransport:
    return AppriseTransport(urls)


def _channels(url: str) -> frozenset[str]:
    try:
        return frozenset(parse_qs(urlsplit(url).query).get("tag", ()))
    except ValueError:  # no address at all, as Apprise will find too
        return frozenset()


def _scheme(url: str) -> str:
    """Return ``tgram`` for ``tgram://...``, but no part of something that is no address."""
    scheme, separator, _ = url.partition("://")
    return scheme if separator and re.fullmatch(r"[a-z0-9]{1,20}", scheme) else "no scheme"


def _reason(heard: Sequence[str]) -> str:
    text = " ".join(heard)
    if status := _STATUS.search(text):
        return f"answered {status[1]}"
    if "onnection error" in text:
        return "cannot be reached"
    return "did not take the message"
