"""Rows of django-celery-beat: a schedule of each kind, and what a row can say besides."""

import json
from datetime import UTC, datetime, timedelta

from django_celery_beat import models
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

SENT = datetime(2027, 2, 27, 17, 17, 40, tzinfo=UTC)
"""When the intervals were sent last, give or take some of them."""


def row(name: str, **values: object) -> None:
    PeriodicTask.objects.create(name=name, task="shop.jobs.note", **{"args": json.dumps([name])} | values)


def cron(text: str, zone: str) -> CrontabSchedule:
    minute, hour, day_of_month, month_of_year, day_of_week = text.split()
    return CrontabSchedule.objects.create(
        minute=minute,
        hour=hour,
        day_of_month=day_of_month,
        month_of_year=month_of_year,
        day_of_week=day_of_week,
        timezone=zone,
    )


def every(count: int, period: str) -> IntervalSchedule:
    return IntervalSchedule.objects.create(every=count, period=period)


def make() -> None:
    row("six hours", interval=every(6, models.HOURS), last_run_at=SENT)
    row("two days", interval=every(2, models.DAYS), last_run_at=SENT, expire_seconds=3600)
    row("in london", crontab=cron("30 1 * * 0", "Europe/London"))
    # A range: a row with a single hour is loaded around that hour only, so it is late to be sent after an outage.
    row("working days", crontab=cron("15 8-8 * * 1-5", "Europe/Berlin"))
    row("wednesdays", crontab=cron("0 12 * * 3", "Europe/Berlin"))
    row("paused", crontab=cron("0 3 * * *", "UTC"), enabled=False)
    row("from the 15th", crontab=cron("0 12 * * *", "UTC"), start_time=datetime(2027, 3, 15, tzinfo=UTC))
    row("until the 20th", crontab=cron("0 12 * * *", "UTC"), expires=datetime(2027, 3, 20, tzinfo=UTC))
    row("half a second", interval=every(500_000, models.MICROSECONDS), enabled=False, priority=3)
    row("garbled", interval=every(1, models.HOURS), enabled=False, args="[")
    row("by the list", interval=every(1, models.HOURS), enabled=False, kwargs="[]")
    CrontabSchedule.objects.bulk_create([CrontabSchedule(minute="99")])
    row("at minute 99", crontab=CrontabSchedule.objects.get(minute="99"), enabled=False)
    row("too often", interval=every(10, models.MICROSECONDS), enabled=False)
    row("once", interval=every(1, models.HOURS), one_off=True, enabled=False)
    row("clocked", clocked=ClockedSchedule.objects.create(clocked_time=SENT + timedelta(days=365)), one_off=True)
    row("at dawn", solar=SolarSchedule.objects.create(event="sunrise", latitude=52.5, longitude=13.4), enabled=False)
