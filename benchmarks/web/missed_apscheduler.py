"""
APScheduler 3 with jobs whose next run was to be ten years ago, as after such a jump of the clock.

Of a job's missed runs only the last counts (``coalesce``), and if it is too old it does not run; so what is measured is
how that is found.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from apscheduler.events import EVENT_JOB_EXECUTED, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from benchmarks.engine.measure import Figures, Window

TRIGGERS: Mapping[str, BaseTrigger] = {
    "every hour": IntervalTrigger(hours=1, timezone=UTC),
    "daily": CronTrigger(hour=2, minute=30, timezone="Europe/Berlin"),
}
TEN_YEARS = timedelta(days=3652)
PATIENCE = 120.0  # seconds


def measure(schedule: str, count: int) -> Figures:
    """Return what *count* jobs cost."""
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    return asyncio.run(_looked(TRIGGERS[schedule], count))


async def _looked(trigger: BaseTrigger, count: int) -> Figures:
    settled, done = set[str](), asyncio.Event()

    def heard(event: JobEvent) -> None:
        settled.add(event.job_id)
        if len(settled) == count:
            done.set()

    begin = datetime.now(UTC) - TEN_YEARS
    scheduler = AsyncIOScheduler(timezone=UTC)
    scheduler.add_listener(heard, EVENT_JOB_MISSED | EVENT_JOB_EXECUTED)
    for _ in range(count):
        scheduler.add_job(_do_nothing, trigger, next_run_time=begin, coalesce=True, misfire_grace_time=1)
    window = Window()
    scheduler.start()
    async with asyncio.timeout(PATIENCE):
        await done.wait()
    cpu, seconds = window.cpu, window.seconds
    scheduler.shutdown(wait=False)
    return {"cpu_per_task_us": cpu / count * 1e6, "loop_stall_ms": seconds * 1e3}


async def _do_nothing() -> None:
    """What the jobs do."""
