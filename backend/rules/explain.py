"""Why a rule would fire, or would not: step by step, without doing anything."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from home.changes import EntityState
from rules import definitions, words
from rules.conditions import MARKS, Verdict, evaluate, lines
from rules.definitions import Definition
from rules.facts import Facts, needs
from rules.firing import is_rested, is_suspended
from rules.gather import gather
from rules.models import Rule, RuntimeStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that must be so for the rule to fire. *truth* is None if it cannot be known."""

    truth: bool | None
    text: str
    verdict: Verdict | None = None

    def as_json(self) -> dict[str, Any]:
        trace = {"trace": self.verdict.as_json()} if self.verdict else {}
        return {"holds": self.truth, "text": self.text} | trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All steps, and what follows from them. *fires_at* is None if the rule does not fire."""

    rule: str
    at: datetime
    steps: tuple[Step, ...]
    fires_at: datetime | None
    actions: tuple[str, ...]
    look_at: datetime | None

    def as_json(self) -> dict[str, Any]:
        """Return it for programs; times in ISO 8601 with their offset."""
        return {
            "rule": self.rule,
            "at": self.at.isoformat(),
            "fires": self.fires_at is not None,
            "fires_at": self.fires_at and self.fires_at.isoformat(),
            "steps": [step.as_json() for step in self.steps],
            "actions": list(self.actions),
            "looks_again_at": self.look_at and self.look_at.isoformat(),
        }

    def lines(self) -> Iterator[str]:
        """Yield it for people, line by line."""
        yield f"Rule {self.rule!r} at {words.moment(self.at)}"
        yield ""
        for step in self.steps:
            yield f"  {MARKS[step.truth]} {step.text}"
            if step.verdict:
                yield from (f"    {line}" for line in lines(step.verdict.as_json()))
        yield ""
        yield self._conclusion()
        yield from (f"  {number}. {action}" for number, action in enumerate(self.actions, 1) if self.fires_at)
        if self.look_at:
            yield f"By time alone this may change at {words.moment(self.look_at)}."

    def _conclusion(self) -> str:
        if self.fires_at is None:
            first = next(step for step in self.steps if not step.truth)
            return f"It would not fire: {first.text}."
        if self.fires_at <= self.at:
            return "It would fire at once:"
        return f"It would fire at {words.moment(self.fires_at)}, unless the condition ends before:"


def explain(rule: Rule, at: datetime, *, states: Mapping[str, str], is_now: bool) -> Explanation:
    """Explain what *rule* would do at *at*, an aware time, if entities had these *states*.

    All that is not given is as the database has it. Raises DefinitionError if the rule cannot be executed.
    """
    definition = definitions.parse(rule.definition)
    facts = gather(needs(definition.when), at)
    supposed = replace(facts, entities={**facts.entities, **_supposed(facts, states)})
    verdict = evaluate(definition.when, supposed)
    before = rule.holds
    if before is None and (states or not is_now):
        # Nobody has looked at it yet: suppose somebody had, before that.
        before = bool(states and evaluate(definition.when, facts).truth)
    edge, fires_at = _edge(rule, definition, verdict, before=before, at=at)
    steps = (
        Step(truth=rule.enabled, text="it is enabled" if rule.enabled else "it is disabled"),
        Step(truth=verdict.truth, text=CONDITION[verdict.truth], verdict=verdict),
        *((edge,) if verdict.truth else ()),
        *_rests(rule, fires_at or at, facts),
    )
    return Explanation(
        rule=rule.name,
        at=at.astimezone(facts.zone),
        steps=steps,
        fires_at=fires_at.astimezone(facts.zone) if fires_at and all(step.truth for step in steps) else None,
        actions=tuple(words.of_action(action) for action in definition.then),
        look_at=verdict.look_again_at.astimezone(facts.zone) if verdict.look_again_at else None,
    )


CONDITION = {
    True: "its condition holds",
    False: "its condition does not hold",
    None: "its condition cannot be known, and so keeps what it was",
}


def _supposed(facts: Facts, states: Mapping[str, str]) -> dict[str, EntityState]:
    nothing = EntityState(state="", attributes={}, last_changed=facts.now, last_updated=facts.now)
    return {
        entity_id: replace(facts.entities.get(entity_id, nothing), state=state, last_changed=facts.now)
        for entity_id, state in states.items()
    }


def _edge(
    rule: Rule, definition: Definition, verdict: Verdict, *, before: bool | None, at: datetime
) -> tuple[Step, datetime | None]:
    """Return whether the condition has just come true, and when the rule fires for it."""
    waiting = rule.runtimes.filter(status=RuntimeStatus.PENDING, waits=True).order_by("due_at").first()
    if verdict.truth and waiting and before:
        return Step(truth=True, text=f"it has waited since {_since(rule)}"), waiting.due_at
    if before is None:
        return Step(truth=False, text="nobody has looked at it yet, and what is already so does not fire it"), None
    if before:
        return Step(
            truth=False, text=f"this has been so since {_since(rule)}, and has to end before it fires again"
        ), None
    wait = f", and has to last {words.length(definition.wait)}" if definition.wait else ""
    return Step(truth=True, text=f"this was not so before{wait}"), at + timedelta(seconds=definition.wait)


def _since(rule: Rule) -> str:
    return words.moment(timezone.localtime(rule.holds_since)) if rule.holds_since else "before"


def _rests(rule: Rule, at: datetime, facts: Facts) -> Iterator[Step]:
    if rule.cooldown_seconds:
        length = words.length(rule.cooldown_seconds)
        if is_rested(rule, at):
            yield Step(truth=True, text=f"its cooldown of {length} is over")
        elif rule.last_fired_at:
            until = rule.last_fired_at + timedelta(seconds=rule.cooldown_seconds)
            yield Step(truth=False, text=f"it cools down until {words.moment(until.astimezone(facts.zone))}")
    if is_suspended(rule, at) and rule.suspended_until:
        rested = words.moment(rule.suspended_until.astimezone(facts.zone))
        yield Step(truth=False, text=f"it fired too often and rests until {rested}")
