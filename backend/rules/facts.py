"""What a condition is held against: what is known of the house at one instant. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import reduce
from typing import Protocol

from home.changes import EntityState
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
)

OPEN_FRESH = timedelta(minutes=5)
"""So long is a detection believed to go on that Frigate tells nothing of: it is silent about what stands still."""


class Sighting(Protocol):
    """A detection of Frigate, as a value or as a row."""

    @property
    def event_id(self) -> str: ...
    @property
    def camera(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def sub_label(self) -> str: ...
    @property
    def top_score(self) -> float: ...
    @property
    def zones(self) -> Sequence[str]: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def ended_at(self) -> datetime | None: ...
    @property
    def updated_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmFact:
    """The alarm's state, and since when."""

    state: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known at *now* (aware, UTC). An entity that is not in *entities* does not exist. *zone* is the home's."""

    now: datetime
    zone: tzinfo = UTC
    entities: Mapping[str, EntityState] = field(default_factory=dict)
    sightings: Sequence[Sighting] = ()
    alarm: AlarmFact | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What must be known to tell whether a condition holds."""

    entities: frozenset[str] = frozenset()
    sights: tuple[Sight, ...] = ()
    alarm: bool = False

    def __or__(self, other: "Needs") -> "Needs":
        return Needs(
            entities=self.entities | other.entities,
            sights=tuple(dict.fromkeys(self.sights + other.sights)),
            alarm=self.alarm or other.alarm,
        )


def needs(condition: Condition) -> Needs:
    """Return what must be known to tell whether *condition* holds."""
    return reduce(Needs.__or__, _needs(condition), Needs())


def is_match(sight: Sight, sighting: Sighting) -> bool:
    """Return whether *sighting*, whenever it was, is one that *sight* means."""
    return (
        sight.camera in (None, sighting.camera)
        and sight.label in (None, sighting.label)
        and sight.sub_label in (None, sighting.sub_label)
        and (sight.min_score is None or sighting.top_score >= sight.min_score)
        and (sight.zone is None or sight.zone in sighting.zones)
    )


def counts_until(sight: Sight, sighting: Sighting) -> datetime:
    """Return until when *sighting* counts: for ``within`` after its newest frame, longer while it is not over."""
    within = timedelta(seconds=sight.within)
    return sighting.updated_at + (within if sighting.ended_at else max(within, OPEN_FRESH))


def _needs(condition: Condition) -> Iterator[Needs]:
    match condition:
        case AllOf():
            yield from map(needs, condition.all)
        case AnyOf():
            yield from map(needs, condition.any)
        case Not():
            yield needs(condition.none)
        case StateIs() | NumberIs():
            yield Needs(entities=frozenset([condition.entity_id]))
        case FrigateSaw():
            yield Needs(sights=(condition.frigate,))
        case AlarmIs():
            yield Needs(alarm=True)
