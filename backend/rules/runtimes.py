"""Runtimes: a rule's actions, due at a moment, executed by one process only.

A process claims a runtime by a conditional update, which only one of several can win, and holds it
for LEASE, renewed at each action. If it dies meanwhile, the lease runs out and another goes on at
the action that was in hand. What is done in the database is done with the record of it in one
transaction, so exactly once; a call to another system is made at least once: twice only if the
process dies between the call and its record. Clocks of replicas may differ by far less than LEASE.
"""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import Error, close_old_connections, transaction
from django.db.models import F, Q, QuerySet

from asyncsched import Retry
from rules import firing
from rules.bell import bell
from rules.definitions import action_type
from rules.models import MAX_DETAIL, ActionStatus, Rule, RuleActionLog, RuleRuntime, RuntimeStatus, locked_rules

LEASE = timedelta(minutes=1)
"""For one action; the longest is a call to Home Assistant, which ends after some 10 s."""
MAX_ATTEMPTS = 6
RETRY = Retry(attempts=MAX_ATTEMPTS, delay=5, factor=3, max_delay=600)
JITTER = 0.2
UNREPORTED = "the processes that began it never reported back"


class ClaimLost(Exception):
    """Another process holds the runtime now: it was in hand for longer than its lease."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A runtime that its holder, and nobody else, may execute now, from action *step* on."""

    pk: int
    claim: UUID
    rule_id: int
    rule_name: str
    rule_enabled: bool
    due_at: datetime
    waits: bool
    trace: dict[str, Any] | None
    actions: list[Any]
    step: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an action did not succeed, and whether trying again could help."""

    detail: str
    permanent: bool


def next_at() -> datetime | None:
    """Return when there is something to claim next, or was; None if nothing is open."""
    return (
        RuleRuntime.objects.filter(_open())
        .order_by("next_attempt_at")
        .values_list("next_attempt_at", flat=True)
        .first()
    )


def any_due(now: datetime) -> bool:
    """Return whether there is anything to claim."""
    return _due(now).exists()


def claim_next(now: datetime) -> Claimed | None:
    """Claim the runtime that has been due for longest; None if none is due."""
    for pk in _due(now).order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:10]:
        claim = uuid4()
        won = (
            _due(now)
            .filter(pk=pk)
            .update(
                status=RuntimeStatus.EXECUTING, claim=claim, next_attempt_at=now + LEASE, attempts=F("attempts") + 1
            )
        )
        if won:
            return _read(pk, claim)
    return None


def begin(claimed: Claimed, *, now: datetime) -> Claimed | None:
    """Let a runtime that has waited for its condition to hold long enough fire; None if the rule may not.

    Raises:
        ClaimLost: nothing was changed.
    """
    with transaction.atomic():
        rule = locked_rules().filter(pk=claimed.rule_id).first()  # before the runtime, as whoever cancels it does
        _update(claimed, waits=False)
        if rule is None or not firing.ripen(rule, claimed.pk, claimed.due_at, now=now, trace=claimed.trace):
            _update(claimed, **_finished(RuntimeStatus.CANCELLED, now))
            return None
    return replace(claimed, waits=False)


def succeeded(claimed: Claimed, started_at: datetime, *, now: datetime, effect: Callable[[], str]) -> Claimed | None:
    """Do *effect* and record, in one transaction, that the action in hand succeeded.

    *effect* returns the detail for the log; what it does in the database counts only with the
    record. Returns the claim on the next action, None if this was the last one.

    Raises:
        ClaimLost: nothing was changed.
    """
    following = replace(claimed, step=claimed.step + 1, attempt=1)
    last = following.step >= len(claimed.actions)
    progress = {"next_step": following.step, "attempts": 1, "last_error": "", "next_attempt_at": now + LEASE}
    with transaction.atomic():
        _update(claimed, **(progress | (_finished(RuntimeStatus.DONE, now) if last else {})))
        _log(claimed, ActionStatus.SUCCEEDED, effect(), started_at=started_at, now=now)
    return None if last else following


def pause(claimed: Claimed, seconds: float, started_at: datetime, *, now: datetime) -> bool:
    """Record that the action in hand lets *seconds* pass before the next; True if there is none, so all is done.

    Raises:
        ClaimLost: nothing was changed.
    """
    following = claimed.step + 1
    last = following >= len(claimed.actions)
    until = now + timedelta(seconds=seconds)
    later = {"status": RuntimeStatus.PENDING, "claim": None, "next_attempt_at": until}
    with transaction.atomic():
        progress = {"next_step": following, "attempts": 0, "last_error": ""}
        _update(claimed, **(progress | (_finished(RuntimeStatus.DONE, now) if last else later)))
        detail = "nothing follows" if last else f"goes on at {until.isoformat(timespec='seconds')}"
        _log(claimed, ActionStatus.SUCCEEDED, detail, started_at=started_at, now=now)
        transaction.on_commit(bell.ring)
    return last


def failed(claimed: Claimed, failure: Failure, started_at: datetime, *, now: datetime) -> bool:
    """Record that the action in hand failed; True if the runtime is given up, False if it is tried again later.

    Raises:
        ClaimLost: nothing was changed.
    """
    final = failure.permanent or claimed.attempt >= MAX_ATTEMPTS
    error = {"last_error": failure.detail[:MAX_DETAIL]}
    later = {"status": RuntimeStatus.PENDING, "claim": None, "next_attempt_at": now + retry_delay(claimed.attempt)}
    with transaction.atomic():
        _update(claimed, **(error | (_finished(RuntimeStatus.FAILED, now) if final else later)))
        status = ActionStatus.FAILED if final else ActionStatus.RETRYING
        _log(claimed, status, failure.detail, started_at=started_at, now=now)
    return final


def close(claimed: Claimed, status: RuntimeStatus, *, now: datetime) -> None:
    """End the runtime without an action, as DONE (there is nothing to do) or CANCELLED. Raises ClaimLost."""
    with transaction.atomic():
        _update(claimed, **_finished(status, now))
        if status == RuntimeStatus.CANCELLED:
            why = "the rule is disabled"
            Rule(pk=claimed.rule_id).log("cancelled", ActionStatus.CANCELLED, why, now=now, runtime_id=claimed.pk)


def let_go(claimed: Claimed, *, now: datetime) -> None:
    """Have the action in hand tried again soon, because the database failed; if it still does, the lease runs out."""
    close_old_connections()  # it may be broken
    with suppress(Error, ClaimLost):
        _update(claimed, status=RuntimeStatus.PENDING, claim=None, next_attempt_at=now + retry_delay(claimed.attempt))


def give_up_on_lost(now: datetime) -> int:
    """Give up runtimes whose last process died like all before it; return how many."""
    lost = RuleRuntime.objects.filter(_open(), next_attempt_at__lte=now, attempts__gte=MAX_ATTEMPTS)
    if not lost.exists():  # even an UPDATE of no rows would take SQLite's write lock
        return 0
    return lost.update(**_finished(RuntimeStatus.FAILED, now), last_error=UNREPORTED)


def retry_delay(attempt: int) -> timedelta:
    """Return how long to wait after the failed *attempt*, spread so that retries do not come in a crowd."""
    return RETRY.delay_after(attempt) * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - not a secret


def _open() -> Q:
    return Q(status__in=(RuntimeStatus.PENDING, RuntimeStatus.EXECUTING))


def _due(now: datetime) -> QuerySet[RuleRuntime]:
    return RuleRuntime.objects.filter(_open(), next_attempt_at__lte=now, attempts__lt=MAX_ATTEMPTS)


def _finished(status: RuntimeStatus, now: datetime) -> dict[str, Any]:
    return {"status": status, "claim": None, "finished_at": now}


def _update(claimed: Claimed, **values: Any) -> None:
    held = RuleRuntime.objects.filter(pk=claimed.pk, claim=claimed.claim, status=RuntimeStatus.EXECUTING)
    if not held.update(**values):
        raise ClaimLost(f"runtime {claimed.pk} of rule {claimed.rule_name!r} is in other hands")


def _log(claimed: Claimed, status: ActionStatus, detail: str, *, started_at: datetime, now: datetime) -> None:
    RuleActionLog.objects.create(
        rule_id=claimed.rule_id,
        runtime_id=claimed.pk,
        action=action_type(claimed.actions[claimed.step]),
        step=claimed.step,
        status=status,
        detail=detail[:MAX_DETAIL],
        started_at=started_at,
        finished_at=now,
        created_at=now,
    )


def _read(pk: int, claim: UUID) -> Claimed | None:
    row = RuleRuntime.objects.select_related("rule").filter(pk=pk, claim=claim).first()
    if row is None:  # deleted in this very moment
        return None
    return Claimed(
        pk=pk,
        claim=claim,
        rule_id=row.rule_id,
        rule_name=row.rule.name,
        rule_enabled=row.rule.enabled,
        due_at=row.due_at,
        waits=row.waits,
        trace=row.trace,
        actions=row.actions,
        step=row.next_step,
        attempt=row.attempts,
    )
