"""What every schedule can answer, and the time arithmetic they share."""

from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from asyncsched.errors import ScheduleError

FAR_BACK = timedelta(days=4 * 366)  # a schedule without an occurrence in four years has none to catch up on


class Schedule(ABC):
    """A frozen value that names instants: its occurrences.

    Occurrences are aware datetimes in UTC, because arithmetic and comparison in a local zone go
    wrong around a DST fold. Schedules never read a clock; the moment is always an argument.
    """

    __slots__ = ()

    jitter: float = 0.0
    """Half-width in seconds of the band around an occurrence in which its run starts."""

    @abstractmethod
    def next_after(self, moment: datetime) -> datetime:
        """Return the first occurrence strictly after *moment* (aware), in UTC.

        Raises ScheduleError if *moment* is naive or no occurrence is left before the year 9999.
        """

    @abstractmethod
    def describe(self) -> str:
        """Say the schedule in words a person would use, such as ``daily at 03:00 Europe/Berlin``."""

    @property
    @abstractmethod
    def is_subminute(self) -> bool:
        """True if occurrences may be less than a minute apart."""

    def in_zone(self, _zone: str) -> Self:
        """Return the schedule with *_zone* filled in where it named none."""
        return self

    def latest_until(self, moment: datetime) -> datetime | None:
        """Return the last occurrence at or before *moment*, or None if there was none in four years.

        Found by asking ``next_after`` only, so that looking back can never disagree with looking
        forward: widen the window until it holds an occurrence, then halve it. The cost is
        logarithmic, whatever the gap.
        """
        back = timedelta(minutes=1)
        while (found := self.next_after(moment - back)) > moment:
            if back >= FAR_BACK:
                return None
            back *= 2
        empty_from = moment
        while (following := self.next_after(found)) <= moment:
            found = following
            middle = found + (empty_from - found) / 2
            candidate = self.next_after(middle)
            if candidate <= moment:
                found = candidate
            else:
                empty_from = middle
        return found

    def count_between(self, after: datetime, until: datetime, limit: int = 1000) -> int:
        """Count the occurrences in ``(after, until]``, but no further than *limit*."""
        count = 0
        while count < limit and (after := self.next_after(after)) <= until:
            count += 1
        return count


def to_utc(moment: datetime) -> datetime:
    """Return *moment* in UTC; raise ScheduleError if it is naive."""
    if moment.tzinfo is None:
        raise ScheduleError(f"{moment!r} has no time zone: pass an aware datetime, such as django.utils.timezone.now()")
    return moment.astimezone(UTC)


def zone_named(name: str) -> ZoneInfo:
    """Return the IANA zone *name*; raise ScheduleError with the way out if it is not known."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ScheduleError(
            f"unknown time zone {name!r}: use an IANA name such as 'Europe/Berlin', and install the "
            "'tzdata' package if this system has no zone files"
        ) from error
