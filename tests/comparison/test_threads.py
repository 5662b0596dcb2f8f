"""
What the comparison says of a thread for each task and of bare coroutines: those that `make bench` measures.

A coroutine for each task is what the hybrid has in the server's process, besides Celery's beat for the nights.
"""

import asyncio
import threading

import pytest

from benchmarks.engine.plan import Plan
from benchmarks.engine.systems.raw import Raw
from benchmarks.engine.systems.threads import Threads
from tests.support.deadline import eventually

EVERY = 0.05  # seconds


class Scripted(Plan):
    """One schedule, whose job does what a test says; each run is counted before it does that."""

    def __init__(self, does) -> None:
        super().__init__([0.0], EVERY)
        self.runs = 0
        self._does = does
        self.schedules = [(0.0, self._awaited)]

    def sync_job(self, offset: float):
        return self._run

    def _run(self) -> None:
        self.runs += 1
        self._does()

    async def _awaited(self) -> None:
        self._run()


def fail() -> None:
    raise RuntimeError("no")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_thread_that_dies_is_started_again_by_the_watchdog():
    plan, threads = Scripted(fail), Threads()
    await threads.start(plan)
    await eventually(lambda: plan.runs > 1, what="a run after the failure")
    await threads.stop()


async def test_a_thread_that_hangs_is_alive_which_is_all_a_watchdog_asks_and_a_stop_waits_for_it():
    let_go = threading.Event()
    plan, threads = Scripted(let_go.wait), Threads()
    await threads.start(plan)
    await eventually(lambda: plan.runs, what="the run that hangs")
    stopping = asyncio.create_task(threads.stop())
    await eventually(lambda: not threads._watchdog.is_alive(), what="the end of the watchdog")
    assert threads._threads[0].is_alive()
    assert not stopping.done()
    let_go.set()
    await stopping


async def test_two_processes_with_a_thread_for_each_task_run_everything_twice():
    plans = [Scripted(lambda: None), Scripted(lambda: None)]
    both = [Threads(), Threads()]
    for threads, plan in zip(both, plans, strict=True):
        await threads.start(plan)
    await eventually(lambda: all(plan.runs for plan in plans), what="a run in each")
    for threads in both:
        await threads.stop()


async def test_a_coroutine_that_raises_has_ended_and_nobody_starts_it_again():
    plan, raw = Scripted(fail), Raw()
    await raw.start(plan)
    (task,) = raw._tasks
    await eventually(task.done, what="its end")
    await raw.stop()
    assert (raw._tasks, plan.runs) == ([task], 1)
    assert isinstance(task.exception(), RuntimeError)


async def test_a_stop_cancels_a_coroutine_in_the_middle():
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.Event().wait()

    plan, raw = Scripted(lambda: None), Raw()
    plan.schedules = [(0.0, work)]
    await raw.start(plan)
    await begun.wait()
    await raw.stop()
    assert raw._tasks[0].cancelled()
