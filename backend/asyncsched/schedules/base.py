"""What every schedule can answer, and the time arithmetic they share."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from asyncsched.errors import ScheduleError

MICROSECOND = timedelta(microseconds=1)
FAR_BACK = timedelta(days=4 * 366)  # a schedule without an occurrence in four years has none to catch up on
MOST_COUNTED = 100  # a few milliseconds' worth, on the loop of a server
YEARS = range(1900, 9999)  # clear of both ends of datetime, whatever the zone


class Schedule(ABC):
    """A frozen value that names instants: its occurrences.

    Occurrences are aware datetimes in UTC, because arithmetic and comparison in a local zone go
    wrong around a DST fold. Schedules never read a clock; the moment is always an argument.
    """

    __slots__ = ("_followed",)

    _followed: tuple[datetime, datetime]  # what ``following`` was last asked, and its answer

    is_interval: bool = False
    """True if it counts lengths of time, False if it reads the time of day from the clock on the wall."""
    jitter: float = 0.0
    """Half-width in seconds of the band around an occurrence in which its run starts."""

    @abstractmethod
    def next_after(self, moment: datetime) -> datetime:
        """Return the first occurrence strictly after *moment* (aware), in UTC.

        Raises ScheduleError if *moment* is naive or not in the years 1900 to 9998, or if no
        occurrence is left before the year 9999 ends.
        """

    def following(self, moment: datetime) -> datetime:
        """Return ``next_after(moment)``, remembered for the last *moment*: each run asks for the same two."""
        known = getattr(self, "_followed", None)
        if known is None or known[0] != moment:
            known = moment, self.next_after(moment)
            object.__setattr__(self, "_followed", known)
        return known[1]

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
        moment = to_utc(moment)
        back = timedelta(minutes=1)
        while (found := self.next_after(moment - back)) > moment:
            if back >= FAR_BACK:
                return None
            back = min(2 * back, FAR_BACK)
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

    def between(self, start: datetime, end: datetime, *, limit: int = 1000) -> Iterator[datetime]:
        """Yield the occurrences in ``(start, end]`` in order, but no more than *limit*: a preview."""
        for _ in range(limit):
            start = self.next_after(start)
            if start > end:
                return
            yield start

    def count_between(self, after: datetime, until: datetime, limit: int = MOST_COUNTED) -> int:
        """Count the occurrences in ``(after, until]``, but no further than *limit*.

        A schedule that can count without going through all of them does so, by default without limit.
        """
        return sum(1 for _ in self.between(after, until, limit=limit))


def to_utc(moment: datetime) -> datetime:
    """Return *moment* in UTC; raise ScheduleError if it is naive, or not in the years 1900 to 9998."""
    if moment.tzinfo is UTC and moment.year in YEARS:
        return moment  # as a rule
    if moment.utcoffset() is None:
        raise ScheduleError(f"{moment!r} has no time zone: pass an aware datetime, such as django.utils.timezone.now()")
    if moment.year not in YEARS:
        raise ScheduleError(f"{moment}: schedules answer for moments in the years {YEARS[0]} to {YEARS[-1]}")
    return moment.astimezone(UTC)


def zone_named(name: str) -> tzinfo:
    """Return the IANA zone *name*; raise ScheduleError with the way out if it is not known.

    UTC is known even on a system without zone files.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise ScheduleError(
            f"unknown time zone {name!r}: use an IANA name such as 'Europe/Berlin', and install the "
            "'tzdata' package if this system has no zone files"
        ) from error
