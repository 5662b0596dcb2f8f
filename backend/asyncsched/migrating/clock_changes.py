"""What becomes of a schedule when clocks change: asked of both, the other's and ours, for the year to come. Pure."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from asyncsched.migrating.found import Difference, Topic
from asyncsched.schedules.base import zone_named

Following = Callable[[datetime], datetime | None]
"""The first occurrence after a moment, None if there is none; both aware."""

AHEAD = timedelta(days=366)
DAY = timedelta(days=1)
BEFORE, AFTER = timedelta(hours=3), timedelta(hours=6)  # a change: so far around it schedules may part
MOST = 1_000  # occurrences in that time: several a minute
LATER = 3  # more occurrences
SHOWN = 3  # times of a day; of more the rest is counted


def difference(theirs: Following, ours: Following, zone: str, now: datetime) -> Difference | None:
    """Return how the occurrences of the two part at the clock changes of *zone* in the year from *now* on."""
    only_theirs: set[datetime] = set()
    only_ours: set[datetime] = set()
    for change in changes(zone, now):
        sides = [list(_around(following, change)) for following in (theirs, ours)]
        known = min((side[-1] for side in sides if side), default=change)
        there, here = ({moment for moment in side if moment <= known} for side in sides)
        only_theirs |= there - here
        only_ours |= here - there
    if not only_theirs and not only_ours:
        return None
    days = sorted({_local(moment, zone).date() for moment in only_theirs | only_ours})
    return Difference(
        topic=Topic.CLOCK_CHANGES, there=_told(only_theirs, zone, days), here=_told(only_ours, zone, days)
    )


def changes(zone: str, now: datetime) -> Iterator[datetime]:
    """Yield when the clocks of *zone* change in the year from *now* on, to the second, in UTC."""
    start = now.astimezone(UTC).replace(microsecond=0)
    for day in range(AHEAD.days):
        before, after = start + day * DAY, start + (day + 1) * DAY
        if (offset := _local(after, zone).utcoffset()) == _local(before, zone).utcoffset():
            continue
        while after - before > timedelta(seconds=1):
            middle = before + (after - before) // 2
            middle = middle.replace(microsecond=0)
            before, after = (before, middle) if _local(middle, zone).utcoffset() == offset else (middle, after)
        yield after


def _around(following: Following, change: datetime) -> Iterator[datetime]:
    """Yield the occurrences around *change* in UTC, to the second, and the first few after that, whenever these are.

    Who counts days from one occurrence to the next may be an hour off at its end: APScheduler then
    misses the midnight of the Monday, or of the first of the month, after clocks went forward.
    """
    moment: datetime | None = change - BEFORE
    later = 0
    for _ in range(MOST):
        moment = following(moment) if moment else None
        if moment is None or later == LATER:
            return
        later += moment >= change + AFTER
        yield moment.astimezone(UTC).replace(microsecond=0)


def _told(moments: set[datetime], zone: str, days: list[date]) -> str:
    """Return the times of each of *days*: ``2027-03-28 at 03:30 CEST; 2027-10-31 not``."""
    times = {
        day: [moment.strftime("%H:%M %Z") for moment in of_day]
        for day, of_day in groupby(sorted(_local(moment, zone) for moment in moments), key=datetime.date)
    }
    return "; ".join(f"{day} at {_listed(times[day])}" if day in times else f"{day} not" for day in days)


def _listed(times: list[str]) -> str:
    shown = ", ".join(times[:SHOWN])
    return f"{shown} and {len(times) - SHOWN} more" if len(times) > SHOWN else shown


def _local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(zone_named(zone))
