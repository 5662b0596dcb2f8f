"""Jobs of every kind, added to a scheduler."""

from datetime import UTC, date, datetime

from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger
from shop.jobs import Stock, note

GRACE = {"misfire_grace_time": 3600}


def cron(**fields: object) -> CronTrigger:
    return CronTrigger(timezone="Europe/Berlin", **fields)


def every(**fields: object) -> CalendarIntervalTrigger:
    return CalendarIntervalTrigger(timezone="Europe/Berlin", **fields)


def add(scheduler: BaseScheduler, name: str, trigger: object, **options: object) -> None:
    scheduler.add_job(note, trigger, [name], id=name, **GRACE | options)


def add_all(scheduler: BaseScheduler) -> None:
    add(scheduler, "eight hours", "interval", hours=8, start_date=datetime(2027, 2, 1, 0, 17, 5, tzinfo=UTC))
    add(scheduler, "spread", "interval", hours=12, start_date=datetime(2027, 2, 1, 0, 30, tzinfo=UTC), jitter=30)
    add(scheduler, "until the 20th", "interval", days=1, start_date="2027-02-01", end_date="2027-03-20 12:00:00")
    add(scheduler, "quarters", cron(minute="*/30", hour="1-3"))
    add(scheduler, "nightly", cron(hour=2, minute=30))
    add(scheduler, "punctual", cron(hour=12), misfire_grace_time=1)
    add(scheduler, "working days", cron(hour="8,17", minute=15, day_of_week="0-4"))
    add(scheduler, "first monday", cron(day="1-7", day_of_week="mon", hour=9))
    add(scheduler, "monday midnight", cron(day_of_week="mon", hour=0))
    add(scheduler, "fridays", cron(day="1-12,26", day_of_week="fri", hour=9))
    add(scheduler, "month's end", cron(day="last", hour=23, minute=59), misfire_grace_time=None)
    add(scheduler, "second friday", cron(day="2nd fri,last sun,15", hour=7))
    add(scheduler, "odd weeks", cron(week="1-53/2", day_of_week="tue", hour=6))
    add(scheduler, "by the second", cron(hour=10, minute=0, second="5,35"), misfire_grace_time=1)
    add(scheduler, "this year", cron(year=2027, hour="*/6", minute=1), coalesce=False)
    add(scheduler, "late", cron(hour=4, minute=4, jitter=20))
    add(scheduler, "either", OrTrigger([cron(hour=5), cron(hour=5, minute=30, day_of_week="mon")]))
    add(scheduler, "ten days", every(days=10, hour=2, minute=10, start_date=date(2027, 2, 16)))
    add(scheduler, "quarterly", every(months=3, hour=1, start_date=date(2026, 12, 12)))
    add(scheduler, "both", AndTrigger([cron(hour=5), cron(minute=0)]))
    add(scheduler, "once", "date", run_date=datetime(2027, 12, 24, tzinfo=UTC))
    scheduler.add_job(Stock.count, cron(hour=13), id="stock", max_instances=3, **GRACE)
