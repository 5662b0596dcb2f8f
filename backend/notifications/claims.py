"""The outbox, seen by those who send: claim a message, report what became of it.

A sender claims a message by a conditional update, which only one of several can win, and holds it
for LEASE. If it dies meanwhile, the lease runs out and another sender takes the message up again.
So a message is sent at least once: twice only if a sender dies, or is cut off, between the
delivery and its record, or is silent for longer than the lease. Clocks of replicas may differ by
far less than the lease, no more.

Repeats: where a channel collapses them, whoever is claimed *leads* its kind, which a unique column
grants to one message at a time. The others of its kind that wait are merged into it. Those that
come later are held back until its time is over, counted from when it was sent; then one of them
leads, and says how many they were. Merging happens here and not in ``outbox.queue``, so that those
who queue lock nothing, cannot deadlock each other, and each message keeps its idempotency key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from notifications import policies, wording
from notifications.models import Notification, Status
from notifications.policies import Policies, Policy
from notifications.transports.base import Message

LEASE = timedelta(minutes=2)
"""Renewed after every target; one target takes some 10 s at the worst."""
LOOKED_AT = 10
"""Of so many due messages a sender tries to get one: others may be at the first of them."""
MAX_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A message that its holder, and nobody else, may send now."""

    pk: int
    claim: UUID
    attempt: int
    message: Message
    channel: str
    delivered_to: Sequence[str]
    policy: Policy


def claim_next(now: datetime, *, urgent_only: bool = False) -> Claimed | None:
    """Claim the message that has been due for longest, urgent ones first; None if none is due."""
    known = policies.load()
    due = _due(now, known)
    if urgent_only:
        due = due.filter(urgent=True)
    for row in due.order_by("-urgent", "next_attempt_at", "pk")[:LOOKED_AT]:
        policy = known.of(row.channel)
        claim = uuid4()
        if _take(row, claim, now=now, leading=_may_collapse(row, policy)):
            if _may_collapse(row, policy) and not row.delivered_to:
                _merge_repeats_into(row)
            return _read(row.pk, claim, policy, now)
    return None


def record_delivery(claimed: Claimed, delivered_to: Sequence[str], *, now: datetime) -> bool:
    """Note which targets have the message and renew the lease; False if the claim was lost."""
    return _held(claimed).update(delivered_to=list(delivered_to), next_attempt_at=now + LEASE) == 1


def record_sent(claimed: Claimed, *, now: datetime) -> bool:
    """Note that every target has the message; False if the claim was lost."""
    over = {"status": Status.SENT, "sent_at": now, "leads_until": now + claimed.policy.collapse}
    return _held(claimed).update(**over, claim=None, last_error="") == 1


def record_failure(claimed: Claimed, error: str, *, permanent: bool, now: datetime) -> bool:
    """Note the *error* and when to try again, or give the message up; False if the claim was lost.

    It is given up when the error is *permanent* or was the last attempt its channel allows.
    """
    error = error[:MAX_ERROR]
    if permanent or claimed.attempt >= claimed.policy.retry.attempts:
        return _held(claimed).update(**_dead(error), next_attempt_at=now) == 1
    later = now + claimed.policy.retry_delay(claimed.attempt)
    return _held(claimed).update(status=Status.PENDING, next_attempt_at=later, claim=None, last_error=error) == 1


def give_up_on_lost(now: datetime) -> int:
    """Give up messages whose last sender died like all before it; return how many."""
    lost = Notification.objects.filter(_exhausted(policies.load()), next_attempt_at__lte=now)
    if not lost.exists():  # even an UPDATE of no rows would take SQLite's write lock
        return 0
    return lost.update(**_dead("every sender that took it up died, and none reported back"))


def _due(now: datetime, known: Policies) -> QuerySet[Notification]:
    """Return what may be sent now: open, due, not held back by its channel nor by another of its kind."""
    others = Notification.objects.filter(leads=OuterRef("kind")).exclude(pk=OuterRef("pk"))
    leading = others.filter(Q(leads_until=None) | Q(leads_until__gt=now))
    due = Notification.objects.filter(_open(), known.open_at(now), ~Exists(leading), next_attempt_at__lte=now)
    return due.exclude(_exhausted(known))


def _may_collapse(row: Notification, policy: Policy) -> bool:
    return bool(row.kind and policy.collapse)


def _take(row: Notification, claim: UUID, *, now: datetime, leading: bool) -> bool:
    """Claim *row*, and let it lead its kind if so wanted; False if another sender was faster."""
    free = Notification.objects.filter(_open(), pk=row.pk, next_attempt_at__lte=now)
    values = {"status": Status.SENDING, "claim": claim, "next_attempt_at": now + LEASE, "attempts": F("attempts") + 1}
    try:
        with transaction.atomic():
            won = free.update(**values)
            if won and leading and not row.leads:
                _take_the_lead(row, now)
    except IntegrityError:  # another of its kind leads since a moment ago
        return False
    return won == 1


def _take_the_lead(row: Notification, now: datetime) -> None:
    """Let *row* lead its kind after the one that led and whose time is over; IntegrityError if it is not over."""
    follows_at = None
    before = Notification.objects.filter(leads=row.kind, leads_until__lte=now).first()
    if before and Notification.objects.filter(pk=before.pk, leads=row.kind).update(leads=None):
        was_held_back = before.leads_until is not None and row.created_at < before.leads_until
        follows_at = before.sent_at if was_held_back else None
    Notification.objects.filter(pk=row.pk).update(leads=row.kind, leads_until=None, follows_at=follows_at)


def _merge_repeats_into(row: Notification) -> None:
    """Let all others of its kind that wait untried go with *row*.

    In a transaction after that of the claim: this one waits for senders that are about to claim one
    of the others, and those must not wait for it in turn.
    """
    others = Notification.objects.filter(kind=row.kind, status=Status.PENDING, attempts=0).exclude(pk=row.pk)
    if not others.exists():
        return
    with transaction.atomic():
        merged = others.update(status=Status.MERGED, part_of=row)
        Notification.objects.filter(pk=row.pk).update(repeats=F("repeats") + merged)


def _open() -> Q:
    return Q(status__in=(Status.PENDING, Status.SENDING))


def _exhausted(known: Policies) -> Q:
    """What was in the hands of senders as often as its channel allows, and is still."""
    return Q(status=Status.SENDING) & known.exhausted()


def _dead(error: str) -> dict[str, object]:
    return {"status": Status.DEAD, "claim": None, "leads": None, "last_error": error}


def _held(claimed: Claimed) -> QuerySet[Notification]:
    return Notification.objects.filter(pk=claimed.pk, claim=claimed.claim, status=Status.SENDING)


def _read(pk: int, claim: UUID, policy: Policy, now: datetime) -> Claimed | None:
    row = Notification.objects.filter(pk=pk, claim=claim).first()
    if row is None:  # deleted in this very moment
        return None
    return Claimed(
        pk=pk,
        claim=claim,
        attempt=row.attempts,
        message=wording.message(row, now),
        channel=row.channel,
        delivered_to=tuple(row.delivered_to),
        policy=policy,
    )
