"""Does a condition hold? True, False, or None where it cannot be known. Pure.

An entity that does not exist, is ``unavailable`` or ``unknown``, or is to be a number and is none,
cannot be known. Whatever depends on it cannot either, unless the rest decides (Kleene's logic): of
``all`` one that is false is enough, of ``any`` one that is true.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from home.changes import EntityState
from rules import words
from rules.definitions import (
    AlarmIs,
    AllOf,
    AnyOf,
    Condition,
    FrigateSaw,
    Not,
    NumberIs,
    Sight,
    StateIs,
    TimeIs,
    Window,
)
from rules.facts import Facts, counts_until, is_match
from rules.windows import is_inside, next_border

UNKNOWN_STATES = ("unavailable", "unknown")
MARKS = {True: "✓", False: "✗", None: "?"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a condition holds, and why.

    *look_again_at* is the first instant after which it may be otherwise although nothing happens,
    None if time alone changes nothing.
    """

    truth: bool | None
    condition: str
    seen: str = ""
    parts: tuple["Verdict", ...] = ()
    look_again_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it for the log and for programs."""
        told: dict[str, Any] = {"holds": self.truth, "condition": self.condition}
        if self.seen:
            told["seen"] = self.seen
        if self.parts:
            told["parts"] = [part.as_json() for part in self.parts]
        return told


def evaluate(condition: Condition, facts: Facts) -> Verdict:
    """Return whether *condition* holds, given *facts*."""
    match condition:
        case AllOf() | AnyOf():
            return _joined(condition, facts)
        case Not():
            return _negated(evaluate(condition.none, facts))
        case StateIs() | NumberIs():
            return _of_entity(condition, facts)
        case FrigateSaw():
            return _of_frigate(condition.frigate, facts)
        case TimeIs():
            return _of_time(condition.time, facts)
        case AlarmIs():
            return _of_alarm(condition, facts)


def lines(trace: Any, depth: int = 0) -> Iterator[str]:
    """Yield a trace, as ``Verdict.as_json`` returns it, line by line, with a mark at each condition."""
    seen = f"  ({trace['seen']})" if trace.get("seen") else ""
    yield f"{'  ' * depth}{MARKS[trace['holds']]} {trace['condition']}{seen}"
    for part in trace.get("parts", ()):
        yield from lines(part, depth + 1)


def _joined(condition: AllOf | AnyOf, facts: Facts) -> Verdict:
    is_all = isinstance(condition, AllOf)
    parts = tuple(evaluate(part, facts) for part in (condition.all if isinstance(condition, AllOf) else condition.any))
    decides, truths = not is_all, [part.truth for part in parts]
    return Verdict(
        truth=decides if decides in truths else None if None in truths else not decides,
        condition="all of" if is_all else "at least one of",
        parts=parts,
        look_again_at=min((part.look_again_at for part in parts if part.look_again_at), default=None),
    )


def _negated(part: Verdict) -> Verdict:
    truth = None if part.truth is None else not part.truth
    return Verdict(truth=truth, condition="not", parts=(part,), look_again_at=part.look_again_at)


def _of_entity(condition: StateIs | NumberIs, facts: Facts) -> Verdict:
    entity = facts.entities.get(condition.entity_id)
    if entity is None:
        return Verdict(truth=None, condition=words.of_entity(condition), seen="there is no such entity")
    if isinstance(condition, StateIs):
        value: Any = entity.state
        truth = _is_one_of(condition, entity.state)
    else:
        truth, value = _is_between(condition, entity)
    seen = words.seen(value, since=entity.last_changed.astimezone(facts.zone))
    return Verdict(truth=truth, condition=words.of_entity(condition), seen=seen)


def _is_one_of(condition: StateIs, state: str) -> bool | None:
    if state in condition.state:
        return True
    return None if state in UNKNOWN_STATES else False


def _is_between(condition: NumberIs, entity: EntityState) -> tuple[bool | None, Any]:
    """Return whether the number lies there, and what was taken for the number."""
    if condition.attribute is None or entity.state in UNKNOWN_STATES:
        value: Any = entity.state
    else:
        value = entity.attributes.get(condition.attribute)
    number = _number(value)
    if number is None:
        return None, value
    is_above = condition.above is None or number > condition.above
    return is_above and (condition.below is None or number < condition.below), value


def _number(value: object) -> float | None:
    """Return the finite number that *value* is or spells; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _of_frigate(sight: Sight, facts: Facts) -> Verdict:
    matching = [sighting for sighting in facts.sightings if is_match(sight, sighting)]
    longest = max(matching, key=lambda sighting: counts_until(sight, sighting), default=None)
    if longest is None:
        return Verdict(truth=False, condition=words.of_sight(sight), seen="nothing like it lately")
    until = counts_until(sight, longest)
    return Verdict(
        truth=facts.now < until,
        condition=words.of_sight(sight),
        seen=words.of_sighting(longest, facts.now),
        look_again_at=until if facts.now < until else None,
    )


def _of_time(window: Window, facts: Facts) -> Verdict:
    zone = ZoneInfo(window.tz) if window.tz else facts.zone
    local = facts.now.astimezone(zone)
    return Verdict(
        truth=is_inside(window, local),
        condition=words.of_window(window),
        seen=f"{local:%a %H:%M:%S}",
        look_again_at=next_border(window, facts.now, zone),
    )


def _of_alarm(condition: AlarmIs, facts: Facts) -> Verdict:
    told = f"the alarm is {words.either(condition.alarm)}"
    if facts.alarm is None:
        return Verdict(truth=None, condition=told, seen="not known")
    seen = words.seen(facts.alarm.state, since=facts.alarm.since.astimezone(facts.zone))
    return Verdict(truth=facts.alarm.state in condition.alarm, condition=told, seen=seen)
