"""Sync tasks: threads of our own. In real time, because threads know no other."""

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from asyncsched import Every, current_run
from asyncsched.engine.clock import SystemClock
from asyncsched.engine.context import Run
from asyncsched.engine.executor import LocalExecutor
from asyncsched.engine.runner import Runner
from asyncsched.engine.runs import Claim, Occurrence, RunResult, RunStatus
from asyncsched.errors import NoCurrentRun
from asyncsched.policy import Overlap
from tests.engine.conftest import make_task
from tests.support.deadline import eventually


async def run(function: Callable[[], Any], executor: LocalExecutor | None = None, **options: Any) -> RunResult:
    """Run *function* once as a sync task."""
    results: list[RunResult] = []
    task = make_task(function, Every(60), is_async=False, **options)
    claim = Claim(run_id="1", occurrence=Occurrence(task=task.name, scheduled_for=datetime.now(UTC)))
    runner = Runner(SystemClock(), executor or LocalExecutor(2))
    await runner.run(task, claim, due_at=datetime.now(UTC), report=results.append)
    return results[0]


async def test_a_sync_task_runs_in_a_thread_of_its_own() -> None:
    seen = []
    result = await run(lambda: seen.append(threading.current_thread()))
    assert result.status is RunStatus.SUCCEEDED
    assert seen[0] is not threading.main_thread()
    assert seen[0].daemon


async def test_it_returns_its_value() -> None:
    assert (await run(lambda: 42)).value == "42"


async def test_what_it_raises_is_the_result() -> None:
    def fail() -> None:
        raise KeyError("missing")

    result = await run(fail)
    assert (result.status, result.error) == (RunStatus.FAILED, "KeyError: 'missing'")


class Stop(BaseException):
    """A library's own signal, not meant for us."""


UNUSUAL = [
    StopIteration("done"),
    SystemExit(1),
    KeyboardInterrupt(),
    GeneratorExit(),
    Stop("x"),
    asyncio.CancelledError(),
]


@pytest.mark.parametrize("error", UNUSUAL, ids=repr)
async def test_not_even_odd_exceptions_get_out(error: BaseException) -> None:
    def fail() -> None:
        raise error

    result = await run(fail)
    assert result.status is RunStatus.FAILED
    assert type(error).__name__ in (result.error or "")
    assert "raise error" in (result.traceback or ""), "the line that raised is named"


@pytest.mark.parametrize("error", UNUSUAL, ids=repr)
async def test_not_even_out_of_a_predicate(error: BaseException) -> None:
    def fail() -> bool:
        raise error

    assert (await run(lambda: 1, enabled_when=fail)).status is RunStatus.FAILED


async def test_it_sees_its_run() -> None:
    assert (await run(lambda: current_run().id)).value == "1"


async def test_outside_of_a_run_there_is_none() -> None:
    with pytest.raises(NoCurrentRun, match="works only while"):
        current_run()


async def test_past_its_timeout_it_is_recorded_and_asked_to_stop() -> None:
    stopped = threading.Event()

    def hang() -> None:
        this = current_run()
        while not this.stopping:
            time.sleep(0.001)  # a task that polls, as a blocking client would
        stopped.set()

    result = await run(hang, timeout=0.05)
    assert result.status is RunStatus.TIMED_OUT
    assert await asyncio.to_thread(stopped.wait, 5)


async def test_a_thread_that_hangs_is_written_off_and_does_not_take_a_place() -> None:
    release = threading.Event()
    executor = LocalExecutor(1)
    assert (await run(release.wait, executor, timeout=0.05)).status is RunStatus.TIMED_OUT
    assert (await run(lambda: "next", executor, name="another", timeout=5)).value == "next"
    release.set()


async def test_while_its_thread_hangs_a_task_does_not_run_again() -> None:
    release = threading.Event()
    executor = LocalExecutor(2)
    await run(release.wait, executor, timeout=0.05)
    result = await run(lambda: "again", executor, timeout=5)
    assert (result.status, (result.error or "").partition(":")[0]) == (RunStatus.FAILED, "StillRunning")
    release.set()


async def test_once_its_thread_has_ended_a_task_runs_again() -> None:
    release = threading.Event()
    executor = LocalExecutor(1)

    async def runs_again() -> bool:
        return (await run(lambda: "again", executor, timeout=5)).status is RunStatus.SUCCEEDED

    for _ in range(5):  # more often than threads may be written off at once
        assert (await run(release.wait, executor, timeout=0.05)).status is RunStatus.TIMED_OUT
        release.set()
        await eventually(runs_again)
        release.clear()


async def test_runs_that_may_overlap_do_not_wait_for_a_thread_that_hangs() -> None:
    release = threading.Event()
    executor = LocalExecutor(2)
    await run(release.wait, executor, timeout=0.05, overlap=Overlap.ALLOW)
    assert (await run(lambda: "next", executor, timeout=5, overlap=Overlap.ALLOW)).value == "next"
    release.set()


async def test_the_number_of_hanging_threads_is_bounded() -> None:
    release = threading.Event()
    executor = LocalExecutor(2)
    before = threading.active_count()
    for number in range(10):
        await run(release.wait, executor, name=f"task {number}", timeout=0.02)
    assert threading.active_count() - before <= 4
    release.set()


async def test_no_more_than_the_allowed_number_run_at_once() -> None:
    going, most, lock = 0, 0, threading.Lock()
    three = threading.Barrier(3)  # a run ends only when two others are going on beside it

    def work() -> None:
        nonlocal going, most
        with lock:
            going += 1
            most = max(most, going)
        three.wait(5)
        with lock:
            going -= 1

    executor = LocalExecutor(3)
    await asyncio.gather(*(run(work, executor) for _ in range(12)))
    assert most == 3


async def test_a_predicate_is_asked_in_the_thread() -> None:
    asked_in = []

    def no() -> bool:
        asked_in.append(threading.current_thread())
        return False

    assert (await run(lambda: 1, enabled_when=no)).status is RunStatus.SKIPPED
    assert asked_in[0] is not threading.main_thread()


async def test_waiting_for_a_thread_is_told_from_being_slow() -> None:
    release = threading.Event()
    executor = LocalExecutor(1)
    first = asyncio.create_task(run(release.wait, executor))
    await asyncio.sleep(0)
    assert (await run(lambda: 1, executor, timeout=0.05)).error == "found no free thread within 0.05 s"
    release.set()
    await first


async def test_a_plain_function_that_returns_a_coroutine_is_an_error_and_not_a_success() -> None:
    async def work() -> None: ...

    result = await run(lambda: work())  # noqa: PLW0108 - the plain function is the point
    assert result.status is RunStatus.FAILED
    assert "register the 'async def' itself" in (result.error or "")


async def test_progress_reaches_who_listens() -> None:
    seen: list[tuple[int, int | None]] = []

    def work() -> None:
        current_run().progress(1, 2)

    def note(progress: Run) -> None:
        seen.append((progress.done, progress.total))

    task = make_task(work, Every(60), is_async=False)
    claim = Claim(run_id="1", occurrence=Occurrence(task=task.name, scheduled_for=datetime.now(UTC)))
    runner = Runner(SystemClock(), LocalExecutor(1), on_progress=note)
    await runner.run(task, claim, due_at=datetime.now(UTC), report=lambda _: None)
    assert seen == [(1, 2)]
