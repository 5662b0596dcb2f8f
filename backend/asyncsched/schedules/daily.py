"""Once per local calendar day."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Self

from asyncsched.errors import ScheduleError
from asyncsched.schedules.base import MICROSECOND
from asyncsched.schedules.wall import Fold, Gap, WallClockSchedule, instants

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DailyAt(WallClockSchedule):
    """Once per local calendar day at a wall-clock time in *tz*, an IANA zone name.

    Without *tz* the scheduler's zone applies (Django's ``TIME_ZONE``; UTC where there is none).

    *gap* says what becomes of a day on which the time does not come, because clocks jump over it:
    ``"run_after"`` runs at the first instant after the gap, ``"skip"`` not at all. *fold* says what
    becomes of a day on which it comes twice: ``"first"``, ``"second"`` or ``"both"``. The defaults
    are Debian cron's rules for jobs at a fixed time.

    A gap that reaches midnight (America/Nuuk, 30 March 2024, 23:00 to 24:00) ends with the first
    instant of the next day: there the run of the day before takes place. A date the zone skipped
    altogether (Pacific/Apia, 30 December 2011) has no occurrence.
    """

    hour: int
    minute: int = 0
    second: int = 0
    tz: str | None = None
    gap: Gap = field(default="run_after", kw_only=True)
    fold: Fold = field(default="first", kw_only=True)

    def __post_init__(self) -> None:
        for name, top in (("hour", 23), ("minute", 59), ("second", 59)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= top:
                raise ScheduleError(f"DailyAt({name}={value!r}): {name} must be a whole number from 0 to {top}")
        self._check_zone_and_rules()

    @property
    def is_subminute(self) -> bool:
        return False

    def in_zone(self, zone: str) -> Self:
        return self if self.tz else replace(self, tz=zone)

    def describe(self) -> str:
        at = f"{self.hour:02}:{self.minute:02}" + (f":{self.second:02}" if self.second else "")
        return self._in_words(f"daily at {at}")

    def _walls_after(self, wall: datetime) -> Iterator[datetime]:
        following = datetime.combine(wall.date(), time(self.hour, self.minute, self.second))
        while True:
            yield following
            following += ONE_DAY

    def _instants(self, wall: datetime, zone: tzinfo) -> tuple[datetime, ...]:
        found = instants(wall, zone, gap=self.gap, fold=self.fold)
        return () if found and _leaps_over(wall.date(), found[0], zone) else found


def _leaps_over(day: date, instant: datetime, zone: tzinfo) -> bool:
    """True if the local date changes at *instant* from one before *day* to one after it."""
    return (instant - MICROSECOND).astimezone(zone).date() < day < instant.astimezone(zone).date()
