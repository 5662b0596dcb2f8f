"""Schedules on the clock on the wall: which instants does a local time name when clocks change?

Twice a year, in most zones, local time and real time part: in spring there is a gap of local times
that never come, in autumn a fold of local times that come twice. A schedule here lists its local
times without any zone, in order; what each of them means in the zone is decided once, in `instants`.
"""

from abc import abstractmethod
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal, get_args

from asyncsched.errors import ScheduleError
from asyncsched.schedules.base import MICROSECOND, Schedule, to_utc, zone_named

Gap = Literal["run_after", "skip"]
"""For a local time that does not come: run at the first instant after the gap, or not at all."""

Fold = Literal["first", "second", "both"]
"""For a local time that comes twice: run at the first of the two, the second, or both."""

YEARS_SEARCHED = 50


class WallClockSchedule(Schedule):
    """A schedule of local times in *tz*, with a rule each for the gap and the fold."""

    __slots__ = ()

    tz: str | None
    gap: Gap
    fold: Fold

    @abstractmethod
    def _walls_after(self, wall: datetime) -> Iterator[datetime]:
        """Yield the local times after *wall*, ascending; some before it do no harm. All are naive."""

    @abstractmethod
    def _instants(self, wall: datetime, zone: tzinfo) -> tuple[datetime, ...]:
        """Return when to run for the local time *wall*, by the schedule's rules: `instants`, or less."""

    def next_after(self, moment: datetime) -> datetime:
        start = to_utc(moment) + MICROSECOND
        zone = zone_named(self.tz or "UTC")
        found = self._first_from(start, zone)
        repeat = _second_passage(start, zone)
        # Before a fold, local times behind us lie ahead once more.
        return found if repeat is None else min(found, self._first_from(repeat, zone))

    def _first_from(self, start: datetime, zone: tzinfo) -> datetime:
        """Return the first occurrence at or after *start*, of the local times not behind it on the wall."""
        wall = _wall_before(start, zone)
        try:
            for following in self._walls_after(wall):
                if following.year > wall.year + YEARS_SEARCHED:
                    break
                for instant in self._instants(following, zone):
                    if instant >= start:
                        return instant
        except OverflowError as error:
            raise ScheduleError(f"{self.describe()}: no further occurrence before the year 9999 ends") from error
        raise ScheduleError(f"{self.describe()}: never matches; no occurrence within {YEARS_SEARCHED} years")

    def _check_zone_and_rules(self) -> None:
        """Raise ScheduleError if zone, gap or fold is none that exists."""
        if self.tz is not None:
            zone_named(self.tz)
        for name, choices in (("gap", get_args(Gap)), ("fold", get_args(Fold))):
            if (value := getattr(self, name)) not in choices:
                known = " or ".join(map(repr, choices))
                raise ScheduleError(f"{type(self).__name__}({name}={value!r}): {name} must be {known}")

    def _in_words(self, times: str) -> str:
        """Return *times* with the zone, and with the rules where they are not the usual ones."""
        zoned = f"{times} {self.tz}" if self.tz else times
        skipped = ["skipped when clocks jump over it"] if self.gap == "skip" else []
        doubled = [] if self.fold == "first" else [f"{REPEATS[self.fold]} when clocks go back"]
        return ", ".join([zoned, *skipped, *doubled])


REPEATS = {"second": "the second time", "both": "both times"}


def instants(wall: datetime, zone: tzinfo, *, gap: Gap, fold: Fold) -> tuple[datetime, ...]:
    """Return when the naive local time *wall* comes in *zone*, by the two rules: none, one or two instants in UTC."""
    first, second = (wall.replace(tzinfo=zone, fold=passage).astimezone(UTC) for passage in (0, 1))
    if first > second:  # PEP 495: in a gap the two readings lie to either side of it, the wrong way round
        return (_shift_between(second, first, zone),) if gap == "run_after" else ()
    if fold == "both" and first != second:
        return first, second
    return (second,) if fold == "second" else (first,)


def _wall_before(moment: datetime, zone: tzinfo) -> datetime:
    """Return a local time after which come all that *moment* may stand for: also those of a gap that ends with it."""
    shown, shown_before = (at.astimezone(zone).replace(tzinfo=None) for at in (moment, moment - MICROSECOND))
    return min(shown - MICROSECOND, shown_before)


def _second_passage(moment: datetime, zone: tzinfo) -> datetime | None:
    """Return when the local hour of *moment* begins to repeat itself, None unless this is its first passage."""
    local = moment.astimezone(zone).replace(microsecond=0)
    repeated = local.replace(fold=1).astimezone(UTC)
    this = local.astimezone(UTC)
    return _shift_between(this, repeated, zone) if repeated > this else None


def _shift_between(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """Return the first instant in ``(before, after]`` at which the clocks of *zone* show the later offset."""
    offset = after.astimezone(zone).utcoffset()

    def is_shifted(seconds: int) -> bool:
        return (before + timedelta(seconds=seconds)).astimezone(zone).utcoffset() == offset

    span = range(int((after - before).total_seconds()))
    return before + timedelta(seconds=bisect_left(span, True, key=is_shifted))  # noqa: FBT003 - sorted: False, then True
