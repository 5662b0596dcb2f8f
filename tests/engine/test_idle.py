"""What the scheduler does while nothing is due: nothing. Nobody wakes the event loop to look whether there is work."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from asyncsched import DailyAt, Every
from tests.engine.conftest import Scheduler, make_task

pytestmark = pytest.mark.looptime

HOUR = 3600


@contextmanager
def counted_wakeups() -> Iterator[set[float]]:
    """Yield the instants, by the time of the running loop, at which it was awake."""
    loop: Any = asyncio.get_running_loop()
    awake: set[float] = set()
    select = loop._selector.select

    def noting(timeout: float | None = None) -> Any:
        awake.add(loop.time())
        return select(timeout)

    loop._selector.select = noting
    try:
        yield awake
    finally:
        loop._selector.select = select


async def test_a_loop_with_tasks_that_are_not_due_sleeps_until_they_are() -> None:
    tasks = [make_task(schedule=DailyAt(hour), name=f"daily {hour}") for hour in range(3, 7)]
    async with Scheduler(*tasks) as scheduler:
        await asyncio.sleep(1)
        with counted_wakeups() as awake:
            await asyncio.sleep(2 * HOUR)
            assert awake == {1, 2 * HOUR + 1}  # both for this test
            await asyncio.sleep(4 * HOUR)
    assert awake == {1, 2 * HOUR + 1, 3 * HOUR, 4 * HOUR, 5 * HOUR, 6 * HOUR, 6 * HOUR + 1}
    assert [len(scheduler.runs(task.name)) for task in tasks] == [1, 1, 1, 1]


async def test_each_instant_at_which_something_is_due_wakes_it_once() -> None:
    async with Scheduler(make_task(schedule=Every(2)), make_task(schedule=Every(6), name="slower")) as scheduler:
        await asyncio.sleep(1)
        with counted_wakeups() as awake:
            await asyncio.sleep(60)
    assert (len(scheduler.runs()), len(scheduler.runs("slower"))) == (30, 10)
    assert awake == {1, *range(2, 61, 2), 61}
