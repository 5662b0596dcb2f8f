"""Idle, APScheduler 3 on asyncio, with its store in memory."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from benchmarks.idle.home import TASKS
from benchmarks.idle.meter import Reading, figures


def measure(warm_up: float, seconds: float) -> Mapping[str, float]:
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    return asyncio.run(_measured(warm_up, seconds))


async def _measured(warm_up: float, seconds: float) -> Mapping[str, float]:
    scheduler = AsyncIOScheduler(timezone=UTC)
    for task in TASKS:
        start = datetime.fromtimestamp(next(task.moments()), UTC)
        scheduler.add_job(_do_nothing, IntervalTrigger(seconds=int(task.period), start_date=start, timezone=UTC))
    scheduler.start()
    await asyncio.sleep(warm_up)
    before = Reading.now()
    await asyncio.sleep(seconds)
    found = figures(before, Reading.now())
    scheduler.shutdown(wait=False)
    return found


async def _do_nothing() -> None: ...
