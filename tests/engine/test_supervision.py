"""What a task can do wrong, and what nobody else notices of it."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from asyncsched import Every, Overlap
from asyncsched.engine.runs import RunStatus
from asyncsched.registry import Service
from tests.engine.conftest import Scheduler, make_task

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("nothing_without_an_owner")]


class Stop(BaseException):
    """A library's own signal, not meant for us."""


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


UNUSUAL = [SystemExit(4), KeyboardInterrupt(), GeneratorExit(), Stop("x"), asyncio.CancelledError()]


def raising(error: BaseException) -> Callable[[], Any]:
    def function() -> Any:
        raise type(error)(*error.args)

    return function


def raising_later(error: BaseException) -> Callable[[], Awaitable[Any]]:
    async def function() -> Any:
        await asyncio.sleep(0.1)
        raise type(error)(*error.args)

    return function


@pytest.mark.parametrize("overlap", [Overlap.SKIP, Overlap.ALLOW])
@pytest.mark.parametrize("error", UNUSUAL, ids=repr)
async def test_whatever_a_function_raises_is_a_failed_run_and_the_next_one_takes_place(
    error: BaseException, overlap: Overlap
) -> None:
    async with Scheduler(make_task(raising_later(error), Every(2), overlap=overlap)) as scheduler:
        await asyncio.sleep(5)
    assert [run.status for run in scheduler.runs()] == [RunStatus.FAILED] * 2
    assert (scheduler.runs()[0].error or "").startswith(type(error).__name__)
    assert scheduler.listener.restarts == []


@pytest.mark.parametrize("predicate", [raising, raising_later])
@pytest.mark.parametrize("error", UNUSUAL, ids=repr)
async def test_whatever_a_predicate_raises_is_a_failed_run(error: BaseException, predicate: Callable[..., Any]) -> None:
    async with Scheduler(make_task(schedule=Every(2), enabled_when=predicate(error))) as scheduler:
        await asyncio.sleep(5)
    assert [run.status for run in scheduler.runs()] == [RunStatus.FAILED] * 2
    assert scheduler.listener.restarts == []


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


async def test_each_quarantine_lasts_twice_as_long_as_the_one_before() -> None:
    task = make_task(misbehave_by_cancelling_itself(), Every(1))
    async with Scheduler(task) as scheduler:
        await scheduler.listener.wait_for(lambda seen: len(seen.restarts) >= 16, within=2000)
    assert [delay for _, _, delay in scheduler.listener.restarts if delay > 30] == [60.0, 120.0, 240.0, 480.0]


async def test_a_quarantine_is_of_one_task_or_service_and_the_others_do_not_notice() -> None:
    async def breaks() -> None:
        raise ConnectionError

    async def lasts() -> None:
        starts.append("lasts")
        await asyncio.Event().wait()

    starts: list[str] = []
    tasks = [
        make_task(misbehave_by_cancelling_itself(), Every(1), name="bad"),
        make_task(misbehave_by_raising(), Every(1), name="failing"),
        make_task(schedule=Every(1), name="good"),
    ]
    services = (Service(name="broken", function=breaks), Service(name="link", function=lasts))
    async with Scheduler(*tasks, services=services) as scheduler:
        await asyncio.sleep(50.5)
        assert scheduler.supervisor.quarantined == ("bad", "broken")
    assert {name for name, _, _ in scheduler.listener.restarts} == {"bad", "broken"}
    assert len(scheduler.runs("good")) == len(scheduler.runs("failing")) == 50
    assert max(run.lateness for run in scheduler.runs("good")) < 0.01
    assert starts == ["lasts"]


async def test_a_storm_of_crashes_leaves_nothing_behind() -> None:
    tasks = [
        make_task(misbehaviour(), Every(1), name=f"{misbehaviour.__name__} {overlap}", timeout=0.5, overlap=overlap)
        for misbehaviour in MISBEHAVIOURS
        for overlap in Overlap
    ]
    services = [
        Service(name=f"service {number}", function=raising_later(error))
        for number, error in enumerate([OSError("gone"), *UNUSUAL])
    ]
    async with Scheduler(*tasks, services=tuple(services)) as scheduler:
        await asyncio.sleep(120.5)
        assert len(asyncio.all_tasks()) < 3 * len(tasks)
    assert all(scheduler.runs(task.name) for task in tasks)
    assert {name for name, _, _ in scheduler.listener.restarts} >= {service.name for service in services}


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

    @pytest.mark.parametrize("error", [OSError("gone"), *UNUSUAL], ids=repr)
    async def test_whatever_it_raises_it_is_started_again(self, error: BaseException) -> None:
        async with Scheduler(services=(Service(name="link", function=raising_later(error)),)) as scheduler:
            await asyncio.sleep(5)
        assert len(scheduler.listener.restarts) >= 3

    async def test_one_that_returns_is_started_again(self) -> None:
        async def service() -> None:
            return

        async with Scheduler(services=(Service(name="link", function=service),)) as scheduler:
            await asyncio.sleep(2)
        assert [error for _, error, _ in scheduler.listener.restarts] == [None] * 3

    async def test_one_that_keeps_ending_is_quarantined_and_tried_again(self) -> None:
        async with Scheduler(services=(Service(name="link", function=raising_later(OSError())),)) as scheduler:
            await scheduler.listener.wait_for(lambda seen: len(seen.restarts) >= 4)
            assert scheduler.supervisor.quarantined == ("link",)
            await asyncio.sleep(61)
            assert len(scheduler.listener.restarts) > 4
        assert [delay for _, _, delay in scheduler.listener.restarts[:4]] == [0.5, 1.0, 2.0, 60.0]

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
