"""The outbox: queue a message with its cause, claim it, report what became of it.

A sender claims a message by a conditional update, which only one of several can win, and holds it
for LEASE. If it dies meanwhile, the lease runs out and another sender takes the message up again.
So a message is sent at least once: twice only if a sender dies, or is cut off, between the
delivery and its record, or is silent for longer than the lease. Clocks of replicas may differ by
far less than the lease, no more.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db.models import F, Q, QuerySet

from asyncsched import Retry
from notifications.models import Notification, Status

LEASE = timedelta(minutes=2)
"""Renewed after every target; one target takes some 10 s at the worst."""
MAX_ATTEMPTS = 10
RETRY = Retry(attempts=MAX_ATTEMPTS, delay=10, factor=2.5, max_delay=3600)
JITTER = 0.2
MAX_TITLE = 200
MAX_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A message that its holder, and nobody else, may send now."""

    pk: int
    claim: UUID
    attempt: int
    title: str
    body: str
    channel: str
    delivered_to: Sequence[str]


def queue(title: str, body: str, *, channel: str = "", idempotency_key: str | None = None) -> Notification:
    """Put a message into the outbox, as part of the caller's transaction: no cause, no message.

    With an *idempotency_key* that is taken, the message queued first is returned and no other is
    made. A title of more than 200 characters is cut.

    Raises:
        ValueError: if *body* is empty.
    """
    if not body.strip():
        raise ValueError("body: a notification needs a text")
    content = {"title": title[:MAX_TITLE], "body": body, "channel": channel}
    if idempotency_key is None:
        return Notification.objects.create(**content)
    return Notification.objects.get_or_create(idempotency_key=idempotency_key, defaults=content)[0]


def claim_next(now: datetime) -> Claimed | None:
    """Claim the message that has been due for longest; None if none is due."""
    for pk in _due(now).order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:10]:
        claim = uuid4()
        won = (
            _due(now)
            .filter(pk=pk)
            .update(status=Status.SENDING, claim=claim, next_attempt_at=now + LEASE, attempts=F("attempts") + 1)
        )
        if won:
            return _read(pk, claim)
    return None


def record_delivery(claimed: Claimed, delivered_to: Sequence[str], *, now: datetime) -> bool:
    """Note which targets have the message and renew the lease; False if the claim was lost."""
    return _held(claimed).update(delivered_to=list(delivered_to), next_attempt_at=now + LEASE) == 1


def record_sent(claimed: Claimed, *, now: datetime) -> bool:
    """Note that every target has the message; False if the claim was lost."""
    return _held(claimed).update(status=Status.SENT, sent_at=now, claim=None, last_error="") == 1


def record_failure(claimed: Claimed, error: str, *, permanent: bool, now: datetime) -> bool:
    """Note the *error* and when to try again, or give the message up; False if the claim was lost.

    It is given up when the error is *permanent* or MAX_ATTEMPTS is reached.
    """
    dead = permanent or claimed.attempt >= MAX_ATTEMPTS
    return (
        _held(claimed).update(
            status=Status.DEAD if dead else Status.PENDING,
            next_attempt_at=now if dead else now + retry_delay(claimed.attempt),
            claim=None,
            last_error=error[:MAX_ERROR],
        )
        == 1
    )


def release(claimed: Claimed, *, now: datetime) -> bool:
    """Hand a message back that was not tried after all; False if the claim was lost."""
    return (
        _held(claimed).update(status=Status.PENDING, next_attempt_at=now, claim=None, attempts=F("attempts") - 1) == 1
    )


def send_again(notifications: QuerySet[Notification], *, now: datetime) -> int:
    """Give messages that were given up a fresh start; return how many there were."""
    return notifications.filter(status=Status.DEAD).update(status=Status.PENDING, attempts=0, next_attempt_at=now)


def give_up_on_lost(now: datetime) -> int:
    """Give up messages whose last sender died like all before it; return how many."""
    lost = Notification.objects.filter(_open(), next_attempt_at__lte=now, attempts__gte=MAX_ATTEMPTS)
    if not lost.exists():  # even an UPDATE of no rows would take SQLite's write lock
        return 0
    error = f"{MAX_ATTEMPTS} senders took it up and none reported back"
    return lost.update(status=Status.DEAD, claim=None, last_error=error)


def retry_delay(attempt: int) -> timedelta:
    """Return how long to wait after the failed *attempt*, spread so that retries do not come in a crowd."""
    return RETRY.delay_after(attempt) * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - not a secret


def _due(now: datetime) -> QuerySet[Notification]:
    return Notification.objects.filter(_open(), next_attempt_at__lte=now, attempts__lt=MAX_ATTEMPTS)


def _open() -> Q:
    return Q(status__in=(Status.PENDING, Status.SENDING))


def _held(claimed: Claimed) -> QuerySet[Notification]:
    return Notification.objects.filter(pk=claimed.pk, claim=claimed.claim, status=Status.SENDING)


def _read(pk: int, claim: UUID) -> Claimed | None:
    row = Notification.objects.filter(pk=pk, claim=claim).first()
    if row is None:  # deleted in this very moment
        return None
    return Claimed(
        pk=pk,
        claim=claim,
        attempt=row.attempts,
        title=row.title,
        body=row.body,
        channel=row.channel,
        delivered_to=tuple(row.delivered_to),
    )
