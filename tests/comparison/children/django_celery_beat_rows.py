"""What django-celery-beat's scheduler makes of its rows, in virtual time."""

from datetime import datetime, timedelta

import time_machine
from project import BERLIN, experiment, report, set_up

set_up("django_celery_beat")

from celery import Celery  # noqa: E402 - what follows needs Django, set up
from django.utils.timezone import localtime, now  # noqa: E402
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask  # noqa: E402
from django_celery_beat.schedulers import DatabaseScheduler  # noqa: E402

NOON = datetime(2026, 6, 10, 12, 0, tzinfo=BERLIN)
app = Celery(broker="memory://", set_as_current=False)
app.conf.timezone = "Europe/Berlin"


class Beat(DatabaseScheduler):
    """What `celery beat` runs; in place of sending a message it notes what, and when."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        super().__init__(app)

    def send_task(self, name, *arguments, **options):
        self.sent.append(f"{name} {localtime(now()):%d %H:%M}")

    def work(self) -> list[str]:
        """Tick until nothing is due; return what was sent so far."""
        while self.tick() == 0:
            pass
        return list(self.sent)


def begin(**what) -> PeriodicTask:
    """Let it be noon, and let there be one row, which has last been sent a day ago."""
    clock.move_to(NOON, tick=False)
    PeriodicTask.objects.all().delete()
    row = PeriodicTask.objects.create(name="row", task="row", **what)
    PeriodicTask.objects.update(last_run_at=NOON - timedelta(days=1))
    return row


def hourly() -> IntervalSchedule:
    return IntervalSchedule.objects.create(every=3600, period=IntervalSchedule.SECONDS)


@experiment
def looks_every():
    return Beat().max_interval


@experiment
def two_beats():
    begin(interval=hourly())
    return [beat.work() for beat in (Beat(), Beat())]


@experiment
def remembers():
    row = begin(interval=hourly())
    beat = Beat()
    beat.work()
    beat.sync()
    row.refresh_from_db()
    return {"last": f"{localtime(row.last_run_at):%d %H:%M}", "runs": row.total_run_count}


@experiment
def disabled():
    begin(interval=hourly(), enabled=False)
    return Beat().work()


@experiment
def a_night_was_missed():
    begin(crontab=CrontabSchedule.objects.create(minute="30", hour="2", timezone=BERLIN))
    beat = Beat()
    while now() < NOON + timedelta(days=1):
        beat.work()
        clock.shift(timedelta(minutes=30))
    return beat.sent


with time_machine.travel(NOON, tick=False) as clock:
    report()
