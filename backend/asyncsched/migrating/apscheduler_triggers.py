"""APScheduler's triggers as ours."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from asyncsched.errors import ScheduleError
from asyncsched.migrating import clock_changes
from asyncsched.migrating.apscheduler_cron import RARE, cron
from asyncsched.migrating.conditions import Condition, begins, ends
from asyncsched.migrating.found import Converted, Difference, NoCounterpart, Topic
from asyncsched.schedules import Cron, DailyAt, Every

BEGINS = Difference(
    topic=Topic.FIRST_RUN,
    there="an interval begins when the job is added, which is when the process starts",
    here="an interval is a grid, the epoch + n × seconds: whoever starts when, it runs at the next point",
)
JITTER = Difference(
    topic=Topic.INTERVAL,
    there="jitter is drawn anew each time, makes a run late only, and the interval goes on from there",
    here="jitter is a fixed number for each occurrence, to either side of it, and nothing adds up",
)
NO_JITTER = Difference(
    topic=Topic.STEPS,
    there="jitter makes each run late by up to as many seconds, drawn anew each time",
    here="what reads the clock on the wall has no jitter: it starts on time",
)
SEPARATE = Difference(
    topic=Topic.OVERLAP,
    there="one job runs at the times of several triggers, and once where two of them meet",
    here="each of the triggers is a task of its own: where two meet, both run",
)
ONCE = "it is for one moment, not a schedule: call the function by hand, or keep the job where it is"
BOTH = "times on which several triggers agree are no schedule here: write one Cron, and an enabled_when for the rest"


def converted(trigger: Any, *, goes_on_from: datetime | None, now: datetime) -> Iterator[Converted]:
    """Yield what *trigger* is here: one schedule, or of an ``OrTrigger`` several.

    *goes_on_from* (aware) is a time of the job that its store has, None if it is only in memory.
    Raises NoCounterpart.
    """
    if type(trigger).__name__ == "OrTrigger":
        jitter = (NO_JITTER,) if trigger.jitter else ()
        for part in trigger.triggers:
            for one in converted(part, goes_on_from=None, now=now):
                yield replace(one, differences=(*one.differences, *jitter, SEPARATE))
        return
    try:
        one = _one(trigger, goes_on_from, now)
    except ScheduleError as error:
        raise NoCounterpart(f"no schedule here can say it: {error}") from error
    yield replace(one, conditions=(*one.conditions, *_limits(trigger, now)))


def _one(trigger: Any, goes_on_from: datetime | None, now: datetime) -> Converted:
    match type(trigger).__name__:
        case "IntervalTrigger":
            return _interval(trigger, goes_on_from)
        case "CronTrigger":
            return _cron(trigger, now)
        case "CalendarIntervalTrigger":
            return _calendar_interval(trigger)
        case "DateTrigger":
            raise NoCounterpart(ONCE)
        case "AndTrigger":
            raise NoCounterpart(BOTH)
        case kind:
            raise NoCounterpart(f"a trigger of the project's own, {kind}, can only be moved by hand")


def _interval(trigger: Any, goes_on_from: datetime | None) -> Converted:
    seconds, jitter = trigger.interval_length, trigger.jitter or 0
    drawn = (JITTER,) if jitter else ()
    known = goes_on_from if trigger.start_date.microsecond else trigger.start_date
    if known is None:  # the start was not given, so it is that of the process
        return Converted(schedule=Every(seconds, jitter=jitter), differences=(BEGINS, *drawn))
    offset = known.astimezone(UTC).replace(microsecond=0).timestamp() % seconds
    return Converted(schedule=Every(seconds, jitter=jitter, offset=offset), differences=drawn)


def _cron(trigger: Any, now: datetime) -> Converted:
    zone = str(trigger.timezone)
    result, conditions = cron(trigger, zone)
    plain = _plain(trigger)
    changes = clock_changes.difference(
        lambda moment: plain.get_next_fire_time(moment, moment), result.next_after, zone, now
    )
    return Converted(
        schedule=result.schedule,
        zone=zone,
        conditions=conditions,
        differences=(*((changes,) if changes else ()), *((NO_JITTER,) if trigger.jitter else ())),
    )


def _calendar_interval(trigger: Any) -> Converted:
    """Return the schedule for the same time of day, every so many days or months from a date on."""
    at, start, zone = trigger._time, trigger.start_date, str(trigger.timezone)  # noqa: SLF001 - nothing else tells
    days, months = 7 * trigger.weeks + trigger.days, 12 * trigger.years + trigger.months
    drawn = (NO_JITTER,) if trigger.jitter else ()
    if not months:
        counted = Condition(
            expression=f"moment.toordinal() % {days} == {start.toordinal() % days}", words=f"every {days} days"
        )
        daily = DailyAt(at.hour, at.minute, at.second, tz=zone, gap="skip")
        conditions = (counted,) if days > 1 else ()
        return Converted(schedule=daily, zone=zone, conditions=conditions, differences=drawn)
    if days or 12 % months or at.second:
        raise NoCounterpart(
            "months and days together, a number of months by which no year can be divided, or months with seconds: "
            "write a Cron, and an enabled_when that counts"
        )
    wanted = ",".join(str(month + 1) for month in range(12) if (month + 1 - start.month) % months == 0)
    month = "*" if months == 1 else wanted
    monthly = Cron(f"{at.minute} {at.hour} {start.day} {month} *", tz=zone, gap="skip")
    return Converted(schedule=monthly, zone=zone, differences=drawn)


def _limits(trigger: Any, now: datetime) -> Iterator[Condition]:
    """Yield the conditions that it is not too early and not too late, unless it never is again."""
    start, end = trigger.start_date, trigger.end_date
    by_date = type(trigger).__name__ == "CalendarIntervalTrigger"
    if by_date:  # its limits are dates, and of the last one all counts
        start = datetime.combine(start, time(), trigger.timezone)
        end = end and datetime.combine(end + timedelta(days=1), time(), trigger.timezone)
    is_given = type(trigger).__name__ != "IntervalTrigger" or not start.microsecond
    if start and is_given and start > now:
        yield begins(start)
    if end:
        if end < now:
            raise NoCounterpart(f"it has ended, on {end:%Y-%m-%d}: delete it")
        yield ends(end, included=not by_date)


def _plain(trigger: Any) -> Any:
    """Return *trigger* without jitter, and without what becomes conditions: limits, the year and the week."""
    fields = {field.name: str(field) for field in trigger.fields if field.name not in RARE}
    return type(trigger)(timezone=trigger.timezone, **fields)
