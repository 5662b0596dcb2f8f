"""What runs here and how far it is: listeners hear of it now and then, and of the last word before the end."""

import asyncio
import threading
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from asyncsched import Every, current_run
from asyncsched.engine.clock import SystemClock
from asyncsched.engine.context import Run
from asyncsched.engine.executor import LocalExecutor
from asyncsched.engine.fanout import Fanout
from asyncsched.engine.ports import Listener
from asyncsched.engine.runner import Runner
from asyncsched.engine.running import PERIOD, Running, RunningRun
from asyncsched.engine.runs import Claim, Occurrence, RunResult, RunStatus
from tests.engine.conftest import Scheduler, make_task

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLAIM = Claim(run_id="1", occurrence=Occurrence(task="task", scheduled_for=NOW))


def result(claim: Claim = CLAIM) -> RunResult:
    return RunResult(claim=claim, status=RunStatus.SUCCEEDED, started_at=NOW, finished_at=NOW, duration=0)


class Diary(Listener):
    """What it is told, in order."""

    def __init__(self) -> None:
        self.entries: list[Any] = []

    def run_progressed(self, run: Run) -> None:
        self.entries.append((*run.done_of_total, asyncio.get_running_loop().time()))

    @property
    def told(self) -> list[tuple[int, int | None]]:
        return [(done, total) for done, total, _ in self.entries]


@pytest.mark.looptime
class TestListeners:
    async def test_hear_of_it_at_once_then_twice_a_second_and_once_more_before_the_end(self) -> None:
        async def busy() -> None:
            for done in range(2_201):
                current_run().progress(done, 2_200)
                await asyncio.sleep(0.001)

        diary = Diary()
        running = Running(diary)
        runner = Runner(SystemClock(), LocalExecutor(1), on_progress=running.reported)
        running.run_started(CLAIM, NOW)
        await runner.run(make_task(busy, Every(60)), CLAIM, due_at=NOW, report=running.run_finished)
        assert diary.told[0] == (0, 2_200)
        assert diary.told[-1] == (2_200, 2_200)
        assert len(diary.told) == 6
        moments = [moment for *_, moment in diary.entries[:-1]]
        assert [after - before for before, after in pairwise(moments)] == pytest.approx([PERIOD] * 4, abs=0.01)

    async def test_hear_nothing_twice(self) -> None:
        async def one_word() -> None:
            current_run().progress(1)
            await asyncio.sleep(5)
            current_run().progress(1)

        scheduler = Scheduler(make_task(one_word, Every(10)))
        async with scheduler:
            await asyncio.sleep(16)
        assert scheduler.listener.progressed == [("task", 1, None)]

    async def test_hear_nothing_of_a_run_that_has_ended(self) -> None:
        diary = Diary()
        running, run = Running(diary), Run(CLAIM)
        running.run_started(CLAIM, NOW)
        run.progress(1, 2)
        running.reported(run)
        running.run_finished(result())
        run.progress(2, 2)
        running.reported(run)  # as a thread that was left behind does
        await asyncio.sleep(2)
        assert diary.told == [(1, 2)]

    async def test_that_fail_disturb_nobody(self, caplog: pytest.LogCaptureFixture) -> None:
        class Broken(Listener):
            def run_progressed(self, run: Run) -> None:
                raise RuntimeError("a listener's fault")

        diary = Diary()
        running, run = Running(Fanout((Broken(), diary))), Run(CLAIM)
        running.run_started(CLAIM, NOW)
        run.progress(1, 2)
        running.reported(run)
        running.run_finished(result())
        assert diary.told == [(1, 2)]
        assert "listener Broken failed" in caplog.text

    def test_that_fail_for_ever_do_not_fill_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        class Broken(Listener):
            __hash__ = None  # type: ignore[assignment] # as a dataclass has none

            def run_finished(self, result: RunResult) -> None:
                raise RuntimeError("a listener's fault")

        fanout = Fanout((Broken(),))
        for _ in range(1_000):
            fanout.run_finished(result())
        assert [record.getMessage() for record in caplog.records][:3] == [
            "listener Broken failed",
            "listener Broken failed, 2 times so far",
            "listener Broken failed, 4 times so far",
        ]
        assert len(caplog.records) == 10


async def test_a_thread_may_report_as_often_as_it_likes() -> None:
    threads = set()

    class Watching(Diary):
        def run_progressed(self, run: Run) -> None:
            threads.add(threading.current_thread())
            super().run_progressed(run)

    def busy() -> None:
        run = current_run()
        for done in range(20_001):
            run.progress(done, 20_000)

    diary = Watching()
    running = Running(diary)
    results: list[RunResult] = []

    def end(result: RunResult) -> None:
        running.run_finished(result)
        results.append(result)

    runner = Runner(SystemClock(), LocalExecutor(1), on_progress=running.reported)
    running.run_started(CLAIM, NOW)
    await runner.run(make_task(busy, Every(60), is_async=False), CLAIM, due_at=NOW, report=end)
    assert diary.told[-1] == (20_000, 20_000)
    assert len(diary.told) <= 2 + results[0].duration / PERIOD
    assert threads == {threading.main_thread()}


@pytest.mark.looptime
async def test_what_runs_is_known_with_how_far_it_is() -> None:
    async def work() -> None:
        if current_run().task == "tells":
            current_run().progress(3, 7)
        await asyncio.sleep(20)

    scheduler = Scheduler(make_task(work, Every(10), name="tells"), make_task(work, Every(10), name="silent"))
    async with scheduler:
        assert scheduler.supervisor.running() == ()
        await asyncio.sleep(11)
        found = scheduler.supervisor.running()
        started = {claim.occurrence.task: claim for claim in scheduler.listener.started}
        assert {(run.claim.occurrence.task, run.done, run.total) for run in found} == {
            ("tells", 3, 7),
            ("silent", None, None),
        }
        assert {run.claim for run in found} == set(started.values())
        assert scheduler.supervisor.health().running == 2


def test_it_is_told_as_json() -> None:
    assert RunningRun(claim=CLAIM, started_at=NOW, done=3, total=7).as_json() == {
        "id": "1",
        "task": "task",
        "scheduled_for": "2026-01-01T00:00:00+00:00",
        "trigger": "schedule",
        "attempt": 1,
        "started_at": "2026-01-01T00:00:00+00:00",
        "done": 3,
        "total": 7,
    }


@pytest.mark.parametrize(("done", "total"), [("many", 2), (None, 2), (1, "few")])
def test_progress_is_told_in_numbers(done: Any, total: Any) -> None:
    run = Run(CLAIM)
    with pytest.raises((TypeError, ValueError)):
        run.progress(done, total)
    assert (run.done, run.total) == (0, None)
