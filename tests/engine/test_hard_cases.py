"""What is easily overlooked: policies that meet, errors where none is expected, times nobody is up."""

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from asyncsched import CatchUp, DailyAt, Every, Overlap, Retry
from asyncsched.engine.keeper import Intensity, Keeper
from asyncsched.engine.ports import Remembered
from asyncsched.engine.runs import RunStatus, SkipReason
from asyncsched.errors import StoreUnavailable
from asyncsched.listeners.logs import LogListener
from asyncsched.registry import Service
from asyncsched.testing import MemoryStore, RecordingListener, VirtualClock
from tests.engine.conftest import Scheduler, do_nothing, make_task

pytestmark = pytest.mark.looptime

START = datetime(2026, 1, 1, tzinfo=UTC)


async def fail() -> None:
    raise OSError


def sleeper(seconds: float) -> Any:
    async def sleep() -> None:
        await asyncio.sleep(seconds)

    return sleep


class Troubled(MemoryStore):
    """Raises each of *errors* once, one per claim, and works from then on."""

    def __init__(self, errors: Iterable[Exception]) -> None:
        super().__init__()
        self.errors = list(errors)

    async def claim(self, task: Any, occurrence: Any, *, term: int | None = None) -> Any:
        if self.errors:
            raise self.errors.pop()
        return await super().claim(task, occurrence)


async def test_a_daily_task_is_caught_up_on_even_if_no_process_was_ever_up_at_its_time() -> None:
    store, runs = MemoryStore(), 0
    for day in range(5):
        scheduler = Scheduler(make_task(schedule=DailyAt(3)), store=store)
        scheduler.clock.set_back(-timedelta(days=day, hours=8).total_seconds())
        async with scheduler:
            await asyncio.sleep(60)
        runs += len(scheduler.runs())
    assert runs == 4


class TestSideBySide:
    """overlap="allow": runs in tasks of their own."""

    async def test_a_failed_run_is_tried_again(self) -> None:
        task = make_task(fail, Every(600), overlap=Overlap.ALLOW, retry=Retry(attempts=3, delay=5))
        async with Scheduler(task) as scheduler:
            await asyncio.sleep(1300)
        assert [run.claim.occurrence.attempt for run in scheduler.runs()] == [1, 2, 3, 1, 2, 3]

    async def test_a_store_that_does_not_answer_loses_nothing(self) -> None:
        store = Troubled([StoreUnavailable("restarting")])
        async with Scheduler(make_task(schedule=Every(600), overlap=Overlap.ALLOW), store=store) as scheduler:
            await asyncio.sleep(1300)
        assert len(scheduler.runs()) == 2

    async def test_an_unforeseen_error_takes_no_place(self) -> None:
        store = Troubled([RuntimeError("out of threads")] * 10)
        task = make_task(schedule=Every(2), overlap=Overlap.ALLOW, concurrency=4)
        async with Scheduler(task, store=store) as scheduler:
            await asyncio.sleep(61)
        assert len(scheduler.runs()) == 20


async def test_catching_up_on_all_drops_none_because_new_ones_come_due_meanwhile() -> None:
    store = MemoryStore({"task": Remembered(cursor=START - timedelta(hours=1))})
    async with Scheduler(make_task(sleeper(2), Every(60), catch_up=CatchUp.ALL), store=store) as scheduler:
        await asyncio.sleep(600)
    caught_up = [run for run in scheduler.runs() if run.claim.occurrence.scheduled_for <= START]
    assert len(caught_up) == 60


async def test_catching_up_on_many_lets_the_loop_breathe() -> None:
    store = MemoryStore({"task": Remembered(cursor=START - timedelta(hours=1))})
    turns = 0
    async with Scheduler(make_task(do_nothing, Every(1), catch_up=CatchUp.ALL), store=store) as scheduler:
        while len(scheduler.runs()) < 3600:
            await asyncio.sleep(0.05)
            turns += 1
    assert turns > 3600


@pytest.mark.parametrize("back", [86_400, -86_400, 5, -5])
async def test_a_clock_that_steps_during_a_suspension_does_not_change_its_length(back: float) -> None:
    async with Scheduler(make_task(fail, Every(10), suspend_after=3, suspend_for=61)) as scheduler:
        await asyncio.sleep(35)
        scheduler.clock.set_back(back)
        await asyncio.sleep(55)
        assert len(scheduler.runs()) == 3
        await asyncio.sleep(12)
    assert len(scheduler.runs()) == 4


async def test_retries_that_never_come_do_not_keep_a_task_from_being_suspended() -> None:
    task = make_task(fail, Every(2), suspend_after=3, suspend_for=300, retry=Retry(attempts=3, delay=5))
    async with Scheduler(task) as scheduler:
        await asyncio.sleep(200)
    assert len(scheduler.runs()) == 3


async def test_a_queued_run_is_not_too_late_for_having_waited_for_the_one_before() -> None:
    task = make_task(sleeper(700), Every(600), overlap=Overlap.QUEUE, catch_up=CatchUp.NONE)
    async with Scheduler(task) as scheduler:
        await asyncio.sleep(4000)
    assert SkipReason.MISFIRE not in {skipped.reason for skipped in scheduler.listener.skipped}


async def test_an_exception_of_the_lowest_kind_is_a_failed_run_and_no_more() -> None:
    class Stop(BaseException):
        pass

    async def stop() -> None:
        raise Stop("x")

    async with Scheduler(make_task(stop, Every(2))) as scheduler:
        await asyncio.sleep(7)
    assert [(run.status, run.error) for run in scheduler.runs()] == [(RunStatus.FAILED, "Stop: x")] * 3


async def test_a_start_that_fails_leaves_nothing_running() -> None:
    def wrong() -> bool:
        raise ValueError("MQTT_URL is wrong")

    link = Service(name="link", function=do_nothing, enabled_when=wrong)
    scheduler = Scheduler(make_task(schedule=Every(2)), services=(link,))
    with pytest.raises(ValueError, match="MQTT_URL"):
        await scheduler.supervisor.start()
    await asyncio.sleep(10)
    assert scheduler.runs() == []


async def test_a_task_that_always_overruns_does_not_flood_the_log(caplog: pytest.LogCaptureFixture) -> None:
    scheduler = Scheduler(make_task(sleeper(3), Every(2)), listeners=(LogListener(),))
    async with scheduler:
        await asyncio.sleep(3600)
    said = [record for record in caplog.records if record.levelno == logging.WARNING and "overlap" in record.message]
    assert len(said) == 10


async def test_a_healthy_month_makes_a_quarantine_forgotten() -> None:
    keeper = Keeper(
        "x",
        do_nothing,
        clock=VirtualClock(),
        listener=RecordingListener(),
        intensity=Intensity(restarts=3, seconds=60),
        is_draining=lambda: False,
    )

    def quarantine() -> float:
        while True:
            delay = keeper._delay()
            if keeper.quarantined:
                return delay

    assert [quarantine(), quarantine()] == [60.0, 120.0]
    await asyncio.sleep(30 * 86_400)
    assert quarantine() == 60.0
