"""What a run costs, in calls of functions of ours: a figure that no load of the machine changes.

A change that makes runs dearer shows here, and one that makes them cheaper may lower the figures.
How long all that takes is measured by ``make bench``.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

import asyncsched
from asyncsched import Every
from asyncsched.engine.executor import LocalExecutor
from asyncsched.engine.run_log import LogKeeping
from asyncsched.engine.supervisor import Supervisor
from asyncsched.listeners.logs import LogListener
from asyncsched.listeners.metrics import MetricsListener
from asyncsched.registry import Task
from asyncsched.storage.connections import TaskConnections
from asyncsched.storage.memory import MemoryStore
from asyncsched.testing import VirtualClock
from tests.engine.conftest import make_task

pytestmark = pytest.mark.looptime

OURS = str(Path(asyncsched.__file__).parent)
TASKS = 20
TOLERANCE = 0.05


@contextmanager
def calls_counted() -> Iterator[Counter[str]]:
    """Count the calls of functions and coroutines of ours, by name; one that goes on after waiting counts again."""
    counted: Counter[str] = Counter()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(OURS):
            counted[frame.f_code.co_qualname] += 1

    sys.setprofile(note)
    try:
        yield counted
    finally:
        sys.setprofile(None)


async def calls_per_run(*tasks: Task, seconds: float) -> float:
    """Return how many calls a run of *tasks* costs, from looking at the clock to waiting for the next."""
    store = MemoryStore()
    supervisor = Supervisor(
        tasks,
        clock=VirtualClock(),
        store=store,
        executor=LocalExecutor(4, async_scope=TaskConnections, during=LogKeeping(50)),
        listeners=(LogListener(), MetricsListener(task.name for task in tasks)),
    )
    await supervisor.start()
    await asyncio.sleep(1.5 * seconds)
    before = len(store.results)
    with calls_counted() as counted:
        await asyncio.sleep(10 * seconds)
    runs = len(store.results) - before
    await supervisor.drain(grace=1.0)
    assert runs >= 10
    return counted.total() / runs


async def test_a_run_on_time_costs_so_many_calls() -> None:
    tasks = [make_task(name=f"task {number}", schedule=Every(2), timeout=1.0) for number in range(TASKS)]
    assert await calls_per_run(*tasks, seconds=2) == pytest.approx(84, rel=TOLERANCE)


async def test_a_run_that_is_claimed_costs_so_many_calls() -> None:
    tasks = [make_task(name=f"task {number}", schedule=Every(60), timeout=1.0) for number in range(TASKS)]
    assert await calls_per_run(*tasks, seconds=60) == pytest.approx(142, rel=TOLERANCE)
