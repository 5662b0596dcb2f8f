"""Home Assistant's state objects, read into steps that the table can take. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from home.changes import EntityState
from home.wire import storable

MAX_TEXT = 255  # Home Assistant's own limit for a state
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)

KEYS = ("access_token", "entity_picture")
"""Attributes with which anybody may see what a camera sees."""
HIDDEN = "********"

_ENTITY_ID = re.compile(r"[a-z0-9_]{1,64}\.[a-z0-9_]{1,190}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the table holds of an entity, as far as one must know to see whether that has changed."""

    state: str
    last_updated: datetime
    removed_at: datetime | None


NOTHING = Held(state="", last_updated=datetime(1900, 1, 1, tzinfo=UTC), removed_at=None)
"""What is held of an entity nobody has heard of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one entity became *at* a time: *after*, or None when it went.

    *replaces* is None for a step that was told as it happened. If it was found by comparing a full
    list with the table, it is what the table held before the list was asked for.
    """

    entity_id: str
    after: EntityState | None
    at: datetime
    replaces: Held | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All state objects there are, as they came, and what the table *held* before they were asked for."""

    items: Sequence[object]
    held: Mapping[str, Held]


def read_change(event: Mapping[str, Any], *, now: datetime) -> Step | None:
    """Return the step that an event ``state_changed`` tells; None if it is none."""
    data = event.get("data")
    if not isinstance(data, dict):
        return None
    if data.get("new_state") is not None:
        return read_state(data["new_state"], now=now)
    if entity_id := _entity_id(data):
        return Step(entity_id=entity_id, after=None, at=_moment(event.get("time_fired")) or now)
    return None


def read_state(item: object, *, now: datetime, replaces: Held | None = None) -> Step | None:
    """Return the step to the state that a state object describes; None if it has no proper ``entity_id``.

    Whatever else is missing or odd is made fit: a text is cut to its column, a missing time is *now*.
    """
    entity_id = _entity_id(item)
    if entity_id is None or not isinstance(item, dict):
        return None
    updated = _moment(item.get("last_updated")) or now
    after = EntityState(
        state=_state(item),
        attributes={name: value for name, value in storable(_attributes(item)).items() if name not in KEYS},
        last_changed=_moment(item.get("last_changed")) or now,
        last_updated=updated,
    )
    return Step(entity_id=entity_id, after=after, at=updated, replaces=replaces)


def read_listing(listing: Listing, *, now: datetime) -> tuple[int, list[Step]]:
    """Return how many entities there are, and the steps from what was held to them, in the order of their times.

    What was held and is not listed has gone, *now*.
    """
    listed = {entity_id: item for item in listing.items if (entity_id := _entity_id(item))}
    steps = []
    for entity_id, item in listed.items():
        held = listing.held.get(entity_id, NOTHING)
        if held != _as_held(item, now) and (step := read_state(item, now=now, replaces=held)):
            steps.append(step)
    steps.sort(key=lambda step: step.at)
    steps += [
        Step(entity_id=entity_id, after=None, at=now, replaces=held)
        for entity_id, held in listing.held.items()
        if held.removed_at is None and entity_id not in listed
    ]
    return len(listed), steps


def text(value: object) -> str:
    """Return *value* fit for a column if it is a text, else an empty one."""
    return storable(value)[:MAX_TEXT] if isinstance(value, str) else ""


def _entity_id(item: object) -> str | None:
    entity_id = item.get("entity_id") if isinstance(item, dict) else None
    return entity_id if isinstance(entity_id, str) and _ENTITY_ID.fullmatch(entity_id) else None


def _state(item: Mapping[str, Any]) -> str:
    """Return its state; nothing of one that is a password, as a text entered by people may be."""
    return HIDDEN if _attributes(item).get("mode") == "password" else text(item.get("state"))


def _attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    attributes = item.get("attributes")
    return attributes if isinstance(attributes, dict) else {}


def _as_held(item: Any, now: datetime) -> Held:
    return Held(state=_state(item), last_updated=_moment(item.get("last_updated")) or now, removed_at=None)


def _moment(value: object) -> datetime | None:
    """Return the aware UTC datetime in *value*, or None if it holds none that a clock may show."""
    try:
        moment = parse_datetime(value) if isinstance(value, str) else None
        moment = moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):  # 30 February; the year 1 in a zone east of here
        return None
    return moment if moment and moment >= EARLIEST else None
