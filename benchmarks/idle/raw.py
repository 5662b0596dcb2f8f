"""Idle, raw asyncio: one coroutine per task that sleeps until it is due."""

import asyncio
import time
from collections.abc import Mapping

from benchmarks.idle.home import TASKS, Due
from benchmarks.idle.meter import Reading, figures


def measure(warm_up: float, seconds: float) -> Mapping[str, float]:
    return asyncio.run(_measured(warm_up, seconds))


async def _measured(warm_up: float, seconds: float) -> Mapping[str, float]:
    tasks = [asyncio.create_task(_run(task)) for task in TASKS]
    await asyncio.sleep(warm_up)
    before = Reading.now()
    await asyncio.sleep(seconds)
    found = figures(before, Reading.now())
    for task in tasks:
        task.cancel()
    return found


async def _run(task: Due) -> None:
    for moment in task.moments():
        await asyncio.sleep(moment - time.time())
        await _do_nothing()


async def _do_nothing() -> None: ...
