"""Drive the real beat for the months on stdin, with their outages, and print when it sent what, to the second.

It is Celery's own, for beat_schedule, and that of django-celery-beat, for the rows.
"""

import json
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise
from pathlib import Path

import django
import time_machine

django.setup()

from celery.beat import PersistentScheduler, Scheduler  # noqa: E402 - Django must be set up
from django_celery_beat.models import PeriodicTask  # noqa: E402
from django_celery_beat.schedulers import DatabaseScheduler  # noqa: E402
from rows import SENT  # noqa: E402
from shop.celery import app  # noqa: E402

TICK = timedelta(milliseconds=20)  # what a look at the schedule takes
NOT_IMPORTED = ("at sunset", "elsewhere", "by value")
sent: list[tuple[str, str]] = []


class Recorded:
    """Instead of a message there is a line."""

    def apply_entry(self, entry: object, producer: object = None) -> None:
        sent.append((entry.name, datetime.now(UTC).replace(microsecond=0).isoformat()))


class Beat(Recorded, PersistentScheduler):
    """The beat of `app.conf.beat_schedule`."""


class DatabaseBeat(Recorded, DatabaseScheduler):
    """The beat of the rows."""


def drive(beat: type[Scheduler], month: dict[str, object], **options: object) -> None:
    """Let *beat* run for *month*; after each outage it is started anew."""
    start, end = month["span"]
    moments = [datetime.fromisoformat(text) for text in chain([start], *month["outages"], [end])]
    for up, down in list(pairwise(moments))[::2]:
        with time_machine.travel(up, tick=False) as clock:
            scheduler = beat(app, max_interval=7200, **options)
            while datetime.now(UTC) < down:
                waits = scheduler.tick()
                clock.shift(timedelta(seconds=max(waits, 0)) + TICK)
            scheduler.close()


def send_until(start: datetime) -> None:
    """Let every row be sent when it was due last before *start*, as if beat had never been down."""
    for row in PeriodicTask.objects.exclude(start_time__gt=start):
        row.last_run_at = start
        if row.interval:
            period = row.interval.schedule.run_every
            row.last_run_at = SENT + (start - SENT) // period * period
        row.save()


app.loader.import_default_modules()
app.finalize()
for name in NOT_IMPORTED:
    del app.conf.beat_schedule[name]
months = json.load(sys.stdin)
for month in months:
    with tempfile.TemporaryDirectory() as folder:
        drive(Beat, month, schedule_filename=str(Path(folder) / "schedule"))
app.conf.beat_schedule = {}
for month in months:
    send_until(datetime.fromisoformat(month["span"][0]))
    drive(DatabaseBeat, month)
json.dump([one for one in sent if not one[0].startswith("celery.")], sys.stdout)
