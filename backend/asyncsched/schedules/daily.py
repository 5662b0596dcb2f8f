"""Once per local calendar day."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from asyncsched.errors import ScheduleError
from asyncsched.schedules.base import Schedule, to_utc, zone_named

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DailyAt(Schedule):
    """Once per local calendar day at a wall-clock time in *tz*, an IANA zone name.

    Without *tz* the scheduler's zone applies (Django's ``TIME_ZONE``; UTC where there is none).
    In a spring gap it runs at the first instant after the gap, in an autumn fold at the first of
    the two: Debian cron's rule for jobs that run at a fixed time. A date the zone skipped
    altogether (Pacific/Apia, 30 December 2011) has no occurrence.
    """

    hour: int
    minute: int = 0
    second: int = 0
    tz: str | None = None

    def __post_init__(self) -> None:
        for name, top in (("hour", 23), ("minute", 59), ("second", 59)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= top:
                raise ScheduleError(f"DailyAt({name}={value!r}): {name} must be a whole number from 0 to {top}")
        if self.tz is not None:
            zone_named(self.tz)

    @property
    def is_subminute(self) -> bool:
        return False

    def in_zone(self, zone: str) -> Self:
        return self if self.tz else replace(self, tz=zone)

    def next_after(self, moment: datetime) -> datetime:
        moment, zone = to_utc(moment), self._zone()
        try:
            day = moment.astimezone(zone).date() - ONE_DAY
            while (occurrence := self._on(day, zone)) is None or occurrence <= moment:
                day += ONE_DAY
        except OverflowError as error:
            raise ScheduleError(f"{self.describe()}: no further occurrence before the year 9999") from error
        return occurrence

    def describe(self) -> str:
        at = f"{self.hour:02}:{self.minute:02}" + (f":{self.second:02}" if self.second else "")
        return f"daily at {at} {self.tz or ''}".rstrip()

    def _zone(self) -> ZoneInfo:
        return zone_named(self.tz or "UTC")

    def _on(self, day: date, zone: ZoneInfo) -> datetime | None:
        """Return the occurrence of the local *day*, None if the zone skipped that date."""
        wall = datetime.combine(day, time(self.hour, self.minute, self.second), zone)
        instant = wall.astimezone(UTC)  # fold=0: the first of two in a fold
        if instant.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
            return instant
        if _is_skipped(day, zone):
            return None
        # In a gap fold=1 reads the wall time with the offset after it, which lies before the gap.
        return _first_after_gap(wall.replace(fold=1).astimezone(UTC), instant, zone)


def _first_after_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant in ``(before, after]`` that has the later offset."""
    offset = after.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return before + timedelta(seconds=high)


def _is_skipped(day: date, zone: ZoneInfo) -> bool:
    """True if no instant falls on the local *day*: its first moment and its last are both in one gap."""
    start = datetime.combine(day, time.min, zone).replace(fold=1).astimezone(UTC)
    end = datetime.combine(day, time.max, zone).astimezone(UTC)
    return start.astimezone(zone).date() < day < end.astimezone(zone).date()
