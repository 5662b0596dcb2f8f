"""What a task can do wrong, and what nobody else notices of it."""

import asyncio
import logging
import sys
from typing import Any

import pytest

from asyncsched import Every
from asyncsched.engine.runs import RunStatus
from asyncsched.registry import Service
from tests.engine.conftest import Scheduler, make_task

pytestmark = pytest.mark.looptime


def misbehave_by_raising() -> Any:
    async def task() -> None:
        raise ValueError("boom")

    return task


def misbehave_by_hanging() -> Any:
    async def task() -> None:
        await asyncio.Event().wait()

    return task


def misbehave_by_exiting() -> Any:
    async def task() -> None:
        sys.exit(4)

    return task


def misbehave_by_cancelling_itself() -> Any:
    async def task() -> None:
        current = asyncio.current_task()
        assert current
        current.cancel()
        await asyncio.sleep(1)

    return task


def misbehave_by_raising_a_cancellation() -> Any:
    async def task() -> None:
        raise asyncio.CancelledError

    return task


def misbehave_by_leaving_a_cancellation_behind() -> Any:
    async def task() -> None:
        current = asyncio.current_task()
        assert current
        current.cancel()

    return task


MISBEHAVIOURS = [
    misbehave_by_raising,
    misbehave_by_hanging,
    misbehave_by_exiting,
    misbehave_by_cancelling_itself,
    misbehave_by_raising_a_cancellation,
    misbehave_by_leaving_a_cancellation_behind,
]


@pytest.mark.parametrize("misbehaviour", MISBEHAVIOURS, ids=lambda function: function.__name__)
async def test_the_others_keep_their_times(misbehaviour: Any) -> None:
    good = [make_task(name=f"good {number}", schedule=Every(1)) for number in range(9)]
    bad = make_task(misbehaviour(), Every(1), name="bad", timeout=0.5)
    async with Scheduler(bad, *good) as scheduler:
        await asyncio.sleep(10.5)
    for task in good:
        assert len(scheduler.runs(task.name)) == 10
        assert max(run.lateness for run in scheduler.runs(task.name)) < 0.01
    assert len(scheduler.runs("bad")) >= 2, "the bad one is tried again, too"


@pytest.mark.parametrize(
    ("misbehaviour", "status", "error"),
    [
        (misbehave_by_raising, RunStatus.FAILED, "ValueError: boom"),
        (misbehave_by_hanging, RunStatus.TIMED_OUT, "did not finish within 0.5 s"),
        (misbehave_by_exiting, RunStatus.FAILED, "SystemExit: 4"),
        (misbehave_by_cancelling_itself, RunStatus.FAILED, "the task cancelled its own coroutine"),
        (misbehave_by_raising_a_cancellation, RunStatus.FAILED, "CancelledError"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_the_run_is_recorded_as_what_it_was(misbehaviour: Any, status: RunStatus, error: str) -> None:
    async with Scheduler(make_task(misbehaviour(), Every(2), timeout=0.5)) as scheduler:
        await asyncio.sleep(3)
    run = scheduler.runs()[0]
    assert (run.status, run.error) == (status, error)


async def test_the_traceback_names_the_line_that_raised() -> None:
    async with Scheduler(make_task(misbehave_by_raising(), Every(2))) as scheduler:
        await asyncio.sleep(3)
    assert 'raise ValueError("boom")' in scheduler.runs()[0].traceback


async def test_an_error_of_its_own_is_not_taken_for_the_time_limit() -> None:
    async def task() -> None:
        raise TimeoutError("the socket's")

    async with Scheduler(make_task(task, Every(2), timeout=1)) as scheduler:
        await asyncio.sleep(3)
    assert scheduler.runs()[0].status is RunStatus.FAILED


async def test_a_coroutine_that_keeps_dying_is_quarantined_with_a_loud_log(caplog: pytest.LogCaptureFixture) -> None:
    task = make_task(misbehave_by_cancelling_itself(), Every(1))
    async with Scheduler(task) as scheduler:
        await scheduler.listener.wait_for(lambda seen: len(seen.restarts) >= 4, within=60)
        assert scheduler.supervisor.quarantined == ("task",)
        await asyncio.sleep(70)
        assert len(scheduler.listener.restarts) > 4, "after the quarantine it is tried again"
    delays = [delay for _, _, delay in scheduler.listener.restarts[:4]]
    assert delays == [0.5, 1.0, 2.0, 60.0]
    assert [record.action for record in caplog.records if record.levelno == logging.CRITICAL][:1] == ["quarantined"]


async def test_a_listener_that_raises_disturbs_nobody() -> None:
    async with Scheduler(make_task(schedule=Every(1))) as scheduler:
        scheduler.listener.run_started = None  # type: ignore[method-assign,assignment]
        await asyncio.sleep(5.5)
    assert len(scheduler.runs()) == 5


class TestServices:
    """Long-lived coroutines beside the schedules."""

    async def test_a_service_that_dies_is_started_again(self) -> None:
        starts = []

        async def service() -> None:
            starts.append(asyncio.get_running_loop().time())
            raise ConnectionError

        async with Scheduler(services=(Service(name="link", function=service),)):
            await asyncio.sleep(2)
        assert len(starts) == 3

    async def test_a_service_is_cancelled_when_the_scheduler_drains(self) -> None:
        ended = []

        async def service() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

        async with Scheduler(services=(Service(name="link", function=service),)):
            await asyncio.sleep(1)
        assert ended == [True]

    async def test_a_service_that_is_not_wanted_is_not_started(self) -> None:
        starts = []

        async def service() -> None:
            starts.append(True)

        async with Scheduler(services=(Service(name="link", function=service, enabled_when=lambda: False),)):
            await asyncio.sleep(1)
        assert starts == []


class TestDrain:
    """SIGTERM, as the engine sees it."""

    async def test_a_run_that_ends_in_time_is_left_to_end(self) -> None:
        async def task() -> None:
            await asyncio.sleep(0.5)

        async with Scheduler(make_task(task, Every(2))) as scheduler:
            await asyncio.sleep(2.1)
        assert [run.status for run in scheduler.runs()] == [RunStatus.SUCCEEDED]

    async def test_a_run_that_does_not_is_cut_off_and_recorded_so(self) -> None:
        async with Scheduler(make_task(misbehave_by_hanging(), Every(2))) as scheduler:
            await asyncio.sleep(2.1)
        assert [run.status for run in scheduler.store.results] == [RunStatus.CANCELLED]

    async def test_nothing_starts_any_more(self) -> None:
        scheduler = Scheduler(make_task(schedule=Every(0.1)))
        await scheduler.supervisor.start()
        await asyncio.sleep(1.05)
        await scheduler.supervisor.drain(grace=1)
        before = len(scheduler.runs())
        await asyncio.sleep(5)
        assert len(scheduler.runs()) == before

    async def test_it_takes_no_longer_than_it_must(self) -> None:
        scheduler = Scheduler(make_task(), make_task(name="second", schedule=Every(3600)))
        await scheduler.supervisor.start()
        await asyncio.sleep(1)
        began = asyncio.get_running_loop().time()
        await scheduler.supervisor.drain(grace=10)
        assert asyncio.get_running_loop().time() - began < 0.1

    async def test_a_coroutine_that_refuses_to_be_cancelled_is_left_behind(self) -> None:
        release = asyncio.Event()

        async def stubborn() -> None:
            while not release.is_set():
                try:
                    await release.wait()
                except asyncio.CancelledError:
                    continue

        scheduler = Scheduler(make_task(stubborn, Every(1)))
        await scheduler.supervisor.start()
        await asyncio.sleep(1.5)
        began = asyncio.get_running_loop().time()
        await scheduler.supervisor.drain(grace=2)
        assert asyncio.get_running_loop().time() - began < 3.5
        release.set()

    async def test_draining_twice_is_harmless(self) -> None:
        scheduler = Scheduler(make_task())
        await scheduler.supervisor.start()
        await scheduler.supervisor.drain(grace=1)
        await scheduler.supervisor.drain(grace=1)

    async def test_no_coroutine_is_left_over(self) -> None:
        before = asyncio.all_tasks()
        async with Scheduler(make_task(), services=(Service(name="link", function=misbehave_by_hanging()),)):
            await asyncio.sleep(5)
        assert asyncio.all_tasks() == before
