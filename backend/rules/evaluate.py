"""Holding rules against what happened, in the transaction that stores it.

Each change is told once. The rules that it may concern are locked, and only then is read what else
they depend on: so of two changes at the same time, in two processes, the second sees the first.
A rule fires on the edge, when its condition comes true. What cannot be known changes nothing: the
rule keeps the truth it had, so a restart of Home Assistant neither fires nor cancels anything.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce

from django.db import transaction
from django.db.models import Q

from alarm.arming import Status
from home.changes import EntityChange, EntityState
from home.frigate.events import Detection
from rules import definitions, references
from rules.bell import bell
from rules.conditions import evaluate
from rules.definitions import Definition
from rules.facts import Facts, Needs, is_match, needs
from rules.firing import fire, wait
from rules.gather import alarm_fact, gather
from rules.models import MAX_DETAIL, Rule, RuleEntityRef, locked_rules

logger = logging.getLogger(__name__)

STEP = timedelta(microseconds=1)
"""Between two changes that are told together, so that each has a moment of its own."""
LATEST = timedelta(minutes=5)
"""A detection that was stored later than that fires nothing: it is history."""
BATCH = 100  # rules that are looked at in one go because of the time


@dataclass(slots=True, kw_only=True)
class Watched:
    """A rule whose row is locked, and what it says."""

    rule: Rule
    definition: Definition
    needs: Needs

    def look(self, facts: Facts, *, ended_at: datetime | None = None) -> None:
        """Hold the rule against *facts* and do what follows.

        *ended_at* is when the condition may have ended at the earliest, if it turns out that it has.
        """
        rule, verdict = self.rule, evaluate(self.definition.when, facts)
        rule.look_at = verdict.look_again_at
        if verdict.truth is None or verdict.truth is rule.holds:
            return
        is_edge = rule.holds is not None
        rule.holds, rule.holds_since = verdict.truth, facts.now
        if not is_edge:
            return
        if not verdict.truth:
            why, trace = "the condition ended before", verdict.as_json()
            rule.cancel_waits(why, now=facts.now, after=ended_at or facts.now, trace=trace)
        elif self.definition.wait:
            due_at = facts.now + timedelta(seconds=self.definition.wait)
            wait(rule, due_at, now=facts.now, trace=verdict.as_json())
        else:
            fire(rule, facts.now, now=facts.now, trace=verdict.as_json())


def entities(changes: Sequence[EntityChange], *, now: datetime) -> None:
    """Hold the rules that name these entities against each change, in order, within the caller's transaction."""
    appeared = {change.entity_id for change in changes if change.before is None}
    if appeared:
        references.restore(appeared)
    names = {change.entity_id for change in changes}
    concerned = RuleEntityRef.objects.filter(entity_id__in=names, rule__enabled=True)
    watched = [one for one in _watch(concerned.values_list("rule_id", flat=True)) if one.needs.entities & names]
    if not watched:
        return
    facts = gather(_needs(watched), now)
    known: dict[str, EntityState] = dict(facts.entities)
    for change in reversed(changes):  # back to what was before the first
        _put(known, change.entity_id, change.before)
    for number, change in enumerate(changes):
        _put(known, change.entity_id, change.after)
        for one in watched:
            if change.entity_id in one.needs.entities:
                one.look(replace(facts, now=now + number * STEP, entities=known))
    _store(watched)


def detections(found: Sequence[Detection], *, now: datetime) -> None:
    """Hold the rules on Frigate against these detections, within the caller's transaction.

    They may come late, because the database was away: then a rule is held against the time of the
    newest frame, and against now.
    """
    watching = _watch(Rule.objects.filter(enabled=True, watches_frigate=True).values_list("pk", flat=True))
    newest = {one.rule.pk: moment for one in watching if (moment := _newest_match(one, found))}
    watched = [one for one in watching if one.rule.pk in newest]
    if not watched:
        return
    facts = gather(_needs(watched), now, heard=found)
    for one in watched:
        seen_at, look_at = newest[one.rule.pk], one.rule.look_at
        if look_at and look_at <= min(
            seen_at, now
        ):  # nobody has looked in time: what has begun since is another sighting
            earlier = [sighting for sighting in facts.sightings if sighting.started_at < look_at]
            one.look(replace(facts, now=look_at, sightings=earlier), ended_at=look_at)
        if now - LATEST <= seen_at < now:
            one.look(replace(facts, now=seen_at))
        one.look(facts)
    _store(watched)


def alarm(after: Status, *, now: datetime) -> None:
    """Hold the rules on the alarm against its new state, within the caller's transaction."""
    watched = _watch(Rule.objects.filter(enabled=True, watches_alarm=True).values_list("pk", flat=True))
    if not watched:
        return
    facts = replace(gather(_needs(watched), now), alarm=alarm_fact(after))
    for one in watched:
        one.look(facts)
    _store(watched)


def by_time(now: datetime) -> int:
    """Hold the rules against *now* that may have changed by time alone, each in a transaction; return how many."""
    due = Q(enabled=True, look_at__lte=now)
    looked = 0
    for pk in Rule.objects.filter(due).order_by("look_at").values_list("pk", flat=True)[:BATCH]:
        with transaction.atomic():
            for one in _watch([pk], due):  # none, if another process has been faster
                # Between then and now nobody may have looked; it was over then if it is over now.
                one.look(gather(one.needs, now), ended_at=one.rule.look_at)
                _store([one])
                looked += 1
    return looked


def _watch(pks: Iterable[int], still: Q | None = None) -> list[Watched]:
    """Lock these rules, always in the same order, and return those that can be executed."""
    wanted = set(pks)
    if not wanted:
        return []
    rules = locked_rules().filter(still or Q(enabled=True), pk__in=wanted)
    return [one for rule in rules if (one := _read(rule))]


def _read(rule: Rule) -> Watched | None:
    """Return what *rule* says, None if that makes no sense; it is said once."""
    try:
        definition = definitions.parse(rule.definition)
    except definitions.DefinitionError as error:
        problem = str(error)[:MAX_DETAIL]
        if rule.problem != problem:
            Rule.objects.filter(pk=rule.pk).update(problem=problem, look_at=None)
            logger.error("rule %r cannot be executed: %s", rule.name, error, extra={"action": "rule_broken"})  # noqa: TRY400
        return None
    return Watched(rule=rule, definition=definition, needs=needs(definition.when))


def _newest_match(one: Watched, found: Sequence[Detection]) -> datetime | None:
    matching = (seen for seen in found if any(is_match(sight, seen) for sight in one.needs.sights))
    return max((seen.updated_at for seen in matching), default=None)


def _needs(watched: Sequence[Watched]) -> Needs:
    return reduce(Needs.__or__, (one.needs for one in watched))


def _put(known: dict[str, EntityState], entity_id: str, state: EntityState | None) -> None:
    if state is None:
        known.pop(entity_id, None)
    else:
        known[entity_id] = state


def _store(watched: Sequence[Watched]) -> None:
    for one in watched:
        rule = one.rule
        state = {"holds": rule.holds, "holds_since": rule.holds_since, "look_at": rule.look_at, "problem": ""}
        Rule.objects.filter(pk=rule.pk).update(**state)
    transaction.on_commit(bell.ring)
