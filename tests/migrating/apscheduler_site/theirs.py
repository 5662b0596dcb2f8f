"""What APScheduler does in the months on stdin, with their outages: its own scheduler, woken when it asks for it."""

import json
import sys
from datetime import datetime, timedelta
from itertools import chain, pairwise

import django
import time_machine

django.setup()

from apscheduler.executors.debug import DebugExecutor  # noqa: E402 - Django must be set up
from apscheduler.schedulers.base import BaseScheduler  # noqa: E402
from django_apscheduler.jobstores import DjangoJobStore  # noqa: E402
from django_apscheduler.models import DjangoJob  # noqa: E402
from jobs import add_all  # noqa: E402
from shop.log import seen  # noqa: E402


class Woken(BaseScheduler):
    """A scheduler that somebody else wakes."""

    def wakeup(self) -> None:
        """Nobody sleeps here."""

    def shutdown(self, wait: bool = True) -> None:
        super().shutdown(wait)


def scheduler() -> Woken:
    made = Woken(timezone="Europe/Berlin")
    made.add_jobstore(DjangoJobStore(), "default")
    made.add_executor(DebugExecutor(), "default")
    return made


def add() -> None:
    """Add the jobs to the table, as a process does that is started now."""
    made = scheduler()
    made.start(paused=True)
    add_all(made)
    made.shutdown()


def drive(up: datetime, down: datetime) -> None:
    with time_machine.travel(up, tick=False) as clock:
        made = scheduler()
        made.start(paused=True)
        made.resume()
        while datetime.now(up.tzinfo) < down:
            waits = made._process_jobs()
            clock.shift(timedelta(seconds=max(waits, 0.001)))
        made.shutdown()


if __name__ == "__main__":
    for month in json.load(sys.stdin):
        start, end = month["span"]
        DjangoJob.objects.all().delete()
        with time_machine.travel(start, tick=False):
            add()
        DjangoJob.objects.filter(id="both").delete()  # APScheduler looks for its next time for ever
        moments = [datetime.fromisoformat(text) for text in chain([start], *month["outages"], [end])]
        for up, down in list(pairwise(moments))[::2]:
            drive(up, down)
    json.dump([(what, datetime.fromisoformat(at).replace(microsecond=0).isoformat()) for what, at in seen], sys.stdout)
