"""What the comparison says of APScheduler 3, and of django-apscheduler, which keeps its jobs in tables."""

import asyncio
import threading
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
)
from apscheduler.executors.base import BaseExecutor, run_job
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.cron import CronTrigger

from tests.comparison.findings import findings_of
from tests.support.deadline import eventually

BERLIN = ZoneInfo("Europe/Berlin")


def no_op() -> None:
    """A job that a store can name."""


def nights(first: datetime) -> list[str]:
    """Return the three times after *first* at which a job of 02:30 in Berlin runs, on Berlin's clocks."""
    trigger = CronTrigger(hour=2, minute=30, timezone=BERLIN)
    found: list[datetime] = []
    for _ in range(3):
        found.append(trigger.get_next_fire_time(found[-1] if found else None, found[-1] if found else first))
    return [f"{night.astimezone(UTC).astimezone(BERLIN):%d %H:%M %Z}" for night in found]


def test_a_time_that_spring_leaves_out_runs_an_hour_late():
    assert nights(datetime(2026, 3, 28, 12, tzinfo=BERLIN))[0] == "29 03:30 CEST"


def test_a_time_that_comes_twice_in_autumn_runs_twice():
    assert nights(datetime(2026, 10, 24, 12, tzinfo=BERLIN))[:2] == ["25 02:30 CEST", "25 02:30 CET"]


@pytest.fixture
def paused():
    """A scheduler that has started and decides nothing by itself, with its jobs in memory."""
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.start(paused=True)
    yield scheduler
    scheduler.shutdown()


def run_late(scheduler, by: timedelta) -> list[int]:
    """Have a job run *by* after its time; return the codes of what it tells."""
    job = scheduler.add_job(no_op, "interval", hours=1)
    events = run_job(job, "default", [datetime.now(UTC) - by], "apscheduler.executors.default")
    return [event.code for event in events]


def test_a_run_that_is_two_seconds_late_does_not_take_place(paused):
    assert run_late(paused, timedelta(seconds=2)) == [EVENT_JOB_MISSED]
    assert run_late(paused, timedelta()) == [EVENT_JOB_EXECUTED]


class ByHand(BaseScheduler):
    """A scheduler that looks what is due when a test says so, instead of by a timer."""

    def wakeup(self) -> None:
        """Leave it to the test."""

    def shutdown(self, wait: bool = True) -> None:
        """Stop, as those with a timer do after they have stopped it."""
        super().shutdown(wait)


class AnotherProcessLooksMeanwhile(BaseExecutor):
    """Takes what is due; before its scheduler has told the store, the *other* scheduler looks what is due."""

    def __init__(self, other: ByHand | None = None) -> None:
        super().__init__()
        self._other = other
        self.taken: list[datetime] = []

    def _do_submit_job(self, job, run_times) -> None:
        self.taken += run_times
        if self._other is not None:
            self._other._process_jobs()


def test_two_schedulers_on_one_job_store_run_an_occurrence_twice(tmp_path: Path):
    def scheduler(executor: BaseExecutor) -> ByHand:
        store = SQLAlchemyJobStore(f"sqlite:///{tmp_path / 'jobs.sqlite3'}")
        made = ByHand(timezone="UTC", jobstores={"default": store}, executors={"default": executor})
        made.start()
        return made

    by_second = AnotherProcessLooksMeanwhile()
    second = scheduler(by_second)
    by_first = AnotherProcessLooksMeanwhile(second)
    first = scheduler(by_first)
    due = datetime.now(UTC).replace(microsecond=0)
    first.add_job(no_op, "interval", hours=1, next_run_time=due)
    first._process_jobs()
    for each in (first, second):
        each.shutdown()
    assert by_first.taken == by_second.taken == [due]


async def test_what_comes_due_during_a_run_is_left_out():
    told: list[int] = []
    go_on = asyncio.Event()
    scheduler = AsyncIOScheduler(timezone="UTC")
    scheduler.add_listener(lambda event: told.append(event.code), EVENT_JOB_MAX_INSTANCES)
    scheduler.add_job(go_on.wait, "interval", seconds=0.05)
    scheduler.start()
    await eventually(lambda: told, what="the second occurrence")
    go_on.set()
    scheduler.shutdown()


async def test_a_job_that_raises_is_told_of_and_runs_again_and_is_not_retried_before():
    told: list[datetime] = []

    async def fail() -> None:
        raise RuntimeError("no")

    scheduler = AsyncIOScheduler(timezone="UTC")
    scheduler.add_listener(lambda event: told.append(event.scheduled_run_time), EVENT_JOB_ERROR)
    scheduler.add_job(fail, "interval", seconds=0.05, misfire_grace_time=None)
    scheduler.start()
    await eventually(lambda: len(told) > 1, what="the next occurrence")
    scheduler.shutdown()
    assert told[1] - told[0] >= timedelta(seconds=0.05)


async def test_a_stop_that_is_to_wait_cancels_coroutines_at_once():
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    scheduler = AsyncIOScheduler(timezone="UTC")
    scheduler.add_job(work, next_run_time=datetime.now(UTC), misfire_grace_time=None)
    scheduler.start()
    await begun.wait()
    scheduler.shutdown(wait=True)
    await eventually(cancelled.is_set, what="the cancellation")


def test_in_a_thread_an_async_function_is_never_awaited_and_counts_as_a_success(paused):
    awaited = threading.Event()

    async def job() -> None:
        awaited.set()

    added = paused.add_job(job, "interval", hours=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a coroutine that nobody awaits
        (event,) = run_job(added, "default", [datetime.now(UTC)], "apscheduler.executors.default")
        event.retval.close()
    assert (event.code, awaited.is_set()) == (EVENT_JOB_EXECUTED, False)


def test_django_apscheduler_keeps_a_row_for_each_run():
    assert findings_of("django_apscheduler_store") == {"history": [["hourly", "Executed"]]}
