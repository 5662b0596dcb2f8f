"""Conditions, actions and what was seen, as people say it. Pure."""

from collections.abc import Sequence
from datetime import datetime

from rules.definitions import (
    Action,
    AlarmAction,
    AlarmEventAction,
    DelayAction,
    HomeAssistantAction,
    NotifyAction,
    NumberIs,
    Sight,
    StateIs,
    Window,
)
from rules.facts import Sighting

LONGEST = 100  # characters of one value


def either(names: Sequence[str]) -> str:
    """Return ``on``, ``on or open``, ``on, open or ajar``."""
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def moment(value: datetime) -> str:
    """Return *value* in its own zone, to the second, with the zone's name."""
    return f"{value:%Y-%m-%d %H:%M:%S %Z}"


def length(seconds: float) -> str:
    """Return ``90 s``, ``5 min``, ``1.5 h``: in the largest unit of which there are two or a whole number."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size and seconds % (size / 2) == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def seen(value: object, *, since: datetime) -> str:
    """Return a value and since when its entity has been in its state."""
    return f"{_cut(str(value))} since {moment(since)}" if value is not None else f"no value since {moment(since)}"


def of_entity(condition: StateIs | NumberIs) -> str:
    """Return a condition on an entity in words."""
    if isinstance(condition, StateIs):
        return f"{condition.entity_id} is {either(condition.state)}"
    what = f"{condition.attribute} of {condition.entity_id}" if condition.attribute else condition.entity_id
    above = f"above {condition.above:g}" if condition.above is not None else ""
    below = f"below {condition.below:g}" if condition.below is not None else ""
    return f"{what} is {' and '.join(filter(None, (above, below)))}"


def of_sight(sight: Sight) -> str:
    """Return a condition on Frigate in words."""
    what = " ".join(filter(None, (sight.label, f"({sight.sub_label})" if sight.sub_label else ""))) or "something"
    parts = [
        f"Frigate saw {what}",
        f"at {sight.camera}" if sight.camera else "",
        f"in zone {sight.zone}" if sight.zone else "",
        f"with a score of at least {sight.min_score:g}" if sight.min_score is not None else "",
        f"within {length(sight.within)}",
    ]
    return " ".join(filter(None, parts))


def of_sighting(sighting: Sighting, now: datetime) -> str:
    """Return what was seen, and how long ago."""
    name = f" ({_cut(sighting.sub_label)})" if sighting.sub_label else ""
    ago = max(0.0, (now - sighting.updated_at).total_seconds())
    state = "" if sighting.ended_at else ", still there"
    return f"{sighting.label}{name} at {sighting.camera}, score {sighting.top_score:.2f}, {ago:.0f} s ago{state}"


def of_window(window: Window) -> str:
    """Return a time window in words."""
    parts = [
        f"from {window.after}" if window.after else "",
        f"to {window.before}" if window.before else "",
        f"on {either([day.capitalize() for day in window.weekdays])}" if window.weekdays else "",
        f"in {window.tz}" if window.tz else "",
    ]
    return f"the time is {' '.join(filter(None, parts))}"


def of_action(action: Action) -> str:
    """Return an action in words."""
    match action:
        case AlarmAction():
            return f"command the alarm: {action.command}"
        case AlarmEventAction():
            return f"write down an event: {action.kind}"
        case NotifyAction():
            to = f" to {action.channel}" if action.channel else ""
            return f"notify{to}{', urgently' if action.urgent else ''}: {_cut(action.title or action.body)}"
        case HomeAssistantAction():
            return f"call {action.domain}.{action.service} of Home Assistant"
        case DelayAction():
            return f"wait {length(action.seconds)}"


def _cut(text: str) -> str:
    """Return *text* on one line, without what would command a terminal."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
