"""Celery's schedules as ours. They are asked, not read: crontab fields are sets of numbers when Celery is through."""

from datetime import UTC, datetime
from typing import Any

from asyncsched.errors import ScheduleError
from asyncsched.migrating import clock_changes
from asyncsched.migrating.celery_entries import UNSUPPORTED
from asyncsched.migrating.conditions import only_on
from asyncsched.migrating.cron_fields import MONTH, Fields, numbers, said
from asyncsched.migrating.found import Converted, Difference, NoCounterpart, Topic
from asyncsched.schedules import Every

COUNTED = Difference(
    topic=Topic.INTERVAL,
    there="an interval is counted from when the last message was sent; what that was late by, all later ones are",
    here="an interval is a grid, the epoch + n × seconds + offset: nothing adds up, and a restart changes nothing",
)
BEGINS = Difference(
    topic=Topic.FIRST_RUN,
    there="an interval begins when beat starts for the first time, and the first message is sent when it has passed",
    here="the first run is at the next point of the grid",
)
ROUNDED = Difference(
    topic=Topic.INTERVAL,
    there="relative=True: an interval ends at a full second, minute, hour or day of the local clock",
    here="an interval is a grid in UTC; what belongs to a time of day is a DailyAt or a Cron",
)


def converted(schedule: Any, *, zone: str, last_run_at: datetime | None, now: datetime) -> Converted:
    """Return what *schedule*, one of Celery's, is here.

    *zone* is that of its crontab; *last_run_at* (aware) when the message was last sent, if that is
    known: an interval goes on from there. Raises NoCounterpart.
    """
    from celery import schedules  # noqa: PLC0415 - an optional extra

    try:
        if isinstance(schedule, schedules.crontab):
            return _crontab(schedule, zone, now)
        if isinstance(schedule, schedules.schedule):
            return _interval(schedule, last_run_at)
    except ScheduleError as error:
        raise NoCounterpart(f"no schedule here can say it: {error}") from error
    kind = type(schedule).__name__
    raise NoCounterpart(UNSUPPORTED.get(kind, f"a schedule of the project's own, {kind}, can only be moved by hand"))


def _interval(schedule: Any, last_run_at: datetime | None) -> Converted:
    seconds = schedule.run_every.total_seconds()
    counted = ROUNDED if schedule.relative else COUNTED
    if last_run_at is None or schedule.relative or seconds < 60:
        return Converted(schedule=Every(seconds), differences=(counted, BEGINS))
    whole = last_run_at.astimezone(UTC).replace(microsecond=0)
    return Converted(schedule=Every(seconds, offset=whole.timestamp() % seconds), differences=(counted,))


def _crontab(crontab: Any, zone: str, now: datetime) -> Converted:
    minute, hour, _, day, month = map(_text, crontab.__reduce__()[1][:5])  # as somebody wrote them
    result = said(
        Fields(
            minute=numbers(minute, crontab.minute, range(60)),
            hour=numbers(hour, crontab.hour, range(24)),
            day=numbers(day, crontab.day_of_month, MONTH),
            days=frozenset(crontab.day_of_month),
            month=numbers(month, crontab.month_of_year, range(1, 13)),
            weekdays=frozenset(crontab.day_of_week),
        ),
        zone,
    )

    def after(moment: datetime) -> datetime:
        start, step, _ = crontab.remaining_delta(moment)
        found: datetime = start + step
        return found

    changes = clock_changes.difference(after, result.next_after, zone, now)
    return Converted(
        schedule=result.schedule,
        zone=zone,
        conditions=only_on(result.weekdays),
        differences=(changes,) if changes else (),
    )


def _text(field: object) -> str:
    return str(field).replace(" ", "")
