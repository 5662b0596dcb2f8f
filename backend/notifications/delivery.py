"""From the outbox to the targets."""

import logging
from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

from notifications import claims
from notifications.claims import Claimed
from notifications.transports.base import Transport, TransportError
from retention.current import run_or_none

logger = logging.getLogger(__name__)


def run_should_stop() -> bool:
    """Return whether this is part of a run that should stop."""
    run = run_or_none()
    return run is not None and run.stopping


def send_pending(
    transport: Transport, *, limit: int, urgent_only: bool = False, stopping: Callable[[], bool] = run_should_stop
) -> int:
    """Send up to *limit* messages that are due; return how many every target has now.

    It ends early, between two messages, once *stopping* says so. What is not sent then stays queued.
    """
    claims.give_up_on_lost(timezone.now())
    sent = 0
    for _ in range(limit):
        if stopping():
            break
        claimed = claims.claim_next(timezone.now(), urgent_only=urgent_only)
        if claimed is None:
            break
        sent += deliver(claimed, transport)
    return sent


def deliver(claimed: Claimed, transport: Transport) -> bool:
    """Send a claimed message to the targets that lack it and record what became of it.

    True if all of them have it now. One that fails does not keep it from the others, and what was
    delivered is not delivered again when the rest is retried.
    """
    delivered = list(claimed.delivered_to)
    errors: list[TransportError] = []
    try:
        targets = transport.targets(claimed.channel)
    except TransportError as error:
        return _failed(claimed, [error], timezone.now())
    for target in targets:
        if target.key in delivered:
            continue
        try:
            target.send(claimed.message)
        except TransportError as error:
            errors.append(error)
        else:
            delivered.append(target.key)
        if not claims.record_delivery(claimed, delivered, now=timezone.now()):
            return _lost(claimed)
    if errors:
        return _failed(claimed, errors, timezone.now())
    return claims.record_sent(claimed, now=timezone.now()) or _lost(claimed)


def _failed(claimed: Claimed, errors: list[TransportError], now: datetime) -> bool:
    text = "; ".join(str(error) for error in errors)
    permanent = all(error.permanent for error in errors)
    if not claims.record_failure(claimed, text, permanent=permanent, now=now):
        return _lost(claimed)
    return False


def _lost(claimed: Claimed) -> bool:
    logger.warning(
        "notification %s took longer than its lease: another sender has it now, and it may arrive twice",
        claimed.pk,
        extra={"action": "claim_lost"},
    )
    return False
