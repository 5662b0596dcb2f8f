"""What the clock has to show for a run, field by field, and the schedule that says so here. Pure.

Celery and APScheduler want every field to fit, the day of the month and the weekday as well. Here, as
in Debian's cron, one of those two is enough if neither begins with ``*``. Where that cannot be said in
another way, such as ``MON#1`` for the Monday of the first seven days, the weekdays are left over: the
task has to ask for them itself, before each run.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import groupby

from asyncsched.errors import ScheduleError
from asyncsched.schedules import Cron, DailyAt
from asyncsched.schedules.base import zone_named

MONTH = range(1, 32)
WEEK = frozenset(range(7))
IN_SIGHT = timedelta(days=41 * 366)  # 29 February is on each weekday in 40 years, also around 2100
NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

_SEVENTHS = tuple(frozenset(MONTH[first : first + 7]) for first in range(0, 31, 7))
_UNDERSTOOD = re.compile(r"[0-9*,/-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """All that has to fit. Fields are text as in a crontab; weekdays are numbers, Sunday is 0."""

    minute: str = "*"
    hour: str = "*"
    day: str = "*"
    days: frozenset[int] = frozenset(MONTH)
    """What *day* stands for, of the plain numbers in it."""
    month: str = "*"
    weekdays: frozenset[int] = WEEK
    nth_weekdays: tuple[str, ...] = ()
    """Days that will do besides *day*, such as ``MON#1`` and ``5L``; with ``day=""``, instead of it."""
    second: str = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The schedule, and the weekdays that are left over: all of them, unless the task must ask."""

    schedule: Cron | DailyAt
    weekdays: frozenset[int] = WEEK

    def next_after(self, moment: datetime) -> datetime:
        """Return the first occurrence after *moment* (aware) on one of the weekdays, in UTC.

        Raises ScheduleError if there is none in sight.
        """
        zone = zone_named(self.schedule.tz or "UTC")
        end = moment + IN_SIGHT
        while moment < end:
            moment = self.schedule.next_after(moment)
            local = moment.astimezone(zone)
            if local.isoweekday() % 7 in self.weekdays:
                return moment
            moment = datetime.combine(local.date(), time.max, zone)
        raise ScheduleError(f"{self.schedule.describe()}: never comes on {weekday_names(self.weekdays)}")


def said(fields: Fields, zone: str | None) -> Said:
    """Return the schedule in *zone*. Raises ScheduleError if it never comes, or the zone is unknown."""
    if fields == Fields(minute=fields.minute, hour=fields.hour, second=fields.second) and _is_one_time(fields):
        return Said(schedule=DailyAt(int(fields.hour), int(fields.minute), int(fields.second), tz=zone))
    day, weekday, left_over = _days(fields)
    leading = [] if fields.second == "0" else [fields.second]
    expression = " ".join([*leading, fields.minute, fields.hour, day, fields.month, weekday])
    return Said(schedule=Cron(expression, tz=zone), weekdays=left_over)


def numbers(text: str, values: Iterable[int], whole: range) -> str:
    """Return a field for *values* of *whole*: *text* as somebody wrote it, if it means the same in a crontab."""
    values = sorted(set(values))
    if values == list(whole):
        return "*"
    if _UNDERSTOOD.fullmatch(text) and not _wraps(text):
        return text
    return ",".join(_ranges(values, str))


def weekday_names(weekdays: Iterable[int]) -> str:
    """Return a field for *weekdays*, by name: ``MON-FRI``, ``FRI,SAT,SUN``."""
    weekdays = set(weekdays)
    if weekdays == WEEK:
        return "*"
    return ",".join([*_ranges(sorted(weekdays - {0}), NAMES.__getitem__), *(["SUN"] if 0 in weekdays else [])])


def _days(fields: Fields) -> tuple[str, str, frozenset[int]]:
    """Return the fields of the day and the weekday, and which weekdays they leave over."""
    names, nth = weekday_names(fields.weekdays), ",".join(fields.nth_weekdays)
    if names == "*":
        return fields.day or "*", nth or "*", WEEK
    if not nth and fields.day.startswith("*"):
        return fields.day, names, WEEK
    if not nth and (weeks := _seventh_of(fields.days)) and "L" not in fields.day:
        return "*", ",".join(f"{NAMES[weekday]}#{week}" for week in weeks for weekday in sorted(fields.weekdays)), WEEK
    return fields.day or "*", nth or "*", fields.weekdays


def _seventh_of(days: frozenset[int]) -> list[int]:
    """Return which seven days of a month *days* are made of, from 1; nothing if of none."""
    weeks = [number for number, week in enumerate(_SEVENTHS, start=1) if week <= days]
    return weeks if days == frozenset().union(*(_SEVENTHS[week - 1] for week in weeks)) else []


def _is_one_time(fields: Fields) -> bool:
    return all(part.isdecimal() for part in (fields.hour, fields.minute, fields.second))


def _wraps(text: str) -> bool:
    """True if a range ends before it begins, as Celery allows, ``22-4``, or at once: CronSim goes on, in ``5-5/2``."""
    return any(int(first) >= int(last) for first, last in re.findall(r"(\d+)-(\d+)", text))


def _ranges(values: list[int], name: Callable[[int], str]) -> Iterable[str]:
    """Yield *values* in text; three and more in a row as a range."""
    for _, run in groupby(enumerate(values), key=lambda counted: counted[1] - counted[0]):
        found = [value for _, value in run]
        if len(found) > 2:
            yield f"{name(found[0])}-{name(found[-1])}"
        else:
            yield from map(name, found)
