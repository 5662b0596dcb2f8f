"""Firing a rule: not while it rests, not too often, and never without a trace."""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from alarm import events
from rules.bell import bell
from rules.conditions import lines
from rules.models import ActionStatus, Rule, RuleActionLog, RuleRuntime, locked_rules

logger = logging.getLogger(__name__)

MAX_FIRINGS = 20
"""So often may a rule fire within MAX_PERIOD. More is a mistake: two rules that undo each other do it forever."""
MAX_PERIOD = timedelta(minutes=1)
SUSPENSION = timedelta(minutes=5)


def schedule(rule: Rule, due_at: datetime, *, now: datetime) -> RuleRuntime | None:
    """Fire *rule* from code: have its actions executed at *due_at*, as part of the caller's transaction.

    None if the rule is disabled, still cooling down, suspended, or due at that very moment already.
    """
    with transaction.atomic():
        return fire(locked_rules().get(pk=rule.pk), due_at, now=now, trace=None)


def fire(rule: Rule, due_at: datetime, *, now: datetime, trace: dict[str, Any] | None) -> RuleRuntime | None:
    """Fire *rule*, whose row is locked; None if it may not, or is due at that moment already."""
    if not _may_fire(rule, due_at, now):
        return None
    runtime = _runtime(rule, due_at, now=now, trace=trace, waits=False)
    if runtime is not None:
        record(rule, runtime.pk, due_at, now=now, trace=trace)
    return runtime


def wait(rule: Rule, due_at: datetime, *, now: datetime, trace: dict[str, Any]) -> RuleRuntime | None:
    """Have *rule*, whose row is locked, fire at *due_at* unless its condition ends before."""
    if not is_rested(rule, due_at):
        return None
    return _runtime(rule, due_at, now=now, trace=trace, waits=True)


def ripen(rule: Rule, runtime_id: int, due_at: datetime, *, now: datetime, trace: dict[str, Any] | None) -> bool:
    """Fire *rule*, whose row is locked, for what has waited until *due_at*; False if it may not."""
    if not _may_fire(rule, due_at, now):
        rule.log("cancelled", ActionStatus.CANCELLED, "the rule was resting", now=now, runtime_id=runtime_id)
        return False
    record(rule, runtime_id, due_at, now=now, trace=trace)
    return True


def record(rule: Rule, runtime_id: int, at: datetime, *, now: datetime, trace: dict[str, Any] | None) -> None:
    """Write down that *rule* fired, where people see it, with the reason."""
    rule.last_fired_at = at
    Rule.objects.filter(pk=rule.pk).update(last_fired_at=at)
    rule.log("fired", ActionStatus.SUCCEEDED, "", now=now, runtime_id=runtime_id, trace=trace)
    details = {"rule": rule.name, "runtime": runtime_id, "why": list(lines(trace)) if trace else []}
    events.record("rule_fired", rule.name, source=f"rule:{rule.pk}", details=details, now=now)


def is_rested(rule: Rule, at: datetime) -> bool:
    """Return whether the cooldown is over at *at*; a clock that was set back makes it no longer."""
    return rule.last_fired_at is None or abs(at - rule.last_fired_at) >= timedelta(seconds=rule.cooldown_seconds)


def is_suspended(rule: Rule, at: datetime) -> bool:
    """Return whether the rule fired too often, and rests at *at*."""
    return rule.suspended_until is not None and at < rule.suspended_until


def _may_fire(rule: Rule, due_at: datetime, now: datetime) -> bool:
    if not rule.enabled or is_suspended(rule, now) or not is_rested(rule, due_at):
        return False
    fired = RuleActionLog.objects.filter(rule=rule, action="fired", created_at__gt=now - MAX_PERIOD)
    if fired.count() < MAX_FIRINGS:
        return True
    _suspend(rule, now)
    return False


def _suspend(rule: Rule, now: datetime) -> None:
    rule.suspended_until = now + SUSPENSION
    Rule.objects.filter(pk=rule.pk).update(suspended_until=rule.suspended_until)
    why = (
        f"{rule.name} fired {MAX_FIRINGS} times within a minute and rests for"
        f" {SUSPENSION.total_seconds() / 60:g} minutes: does another rule undo what it does?"
    )
    logger.error(why, extra={"action": "rule_suspended"})
    rule.log("suspended", ActionStatus.CANCELLED, why, now=now)
    events.record("rule_suspended", why, source=f"rule:{rule.pk}", details={"rule": rule.name}, now=now)


def _runtime(
    rule: Rule, due_at: datetime, *, now: datetime, trace: dict[str, Any] | None, waits: bool
) -> RuleRuntime | None:
    runtime, created = RuleRuntime.objects.get_or_create(
        rule=rule,
        due_at=due_at,
        defaults={
            "actions": rule.definition.get("then", []),
            "next_attempt_at": due_at,
            "waits": waits,
            "trace": trace,
            "created_at": now,
        },
    )
    transaction.on_commit(bell.ring)
    return runtime if created else None
