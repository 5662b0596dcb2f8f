"""Tasks to be run by hand, and watched."""

import asyncio
import logging
import os
import time
from pathlib import Path

from asyncsched import DailyAt, Every, current_run, register

STEPS = 12


@register("count", Every(3600))
def count() -> str:
    """Counts, and says so in every way there is; until the file BENCH_HOLD is gone it stays in the middle."""
    hold = os.environ.get("BENCH_HOLD")
    for done in range(STEPS):
        current_run().progress(done + 1, STEPS)
        time.sleep(0.03)
        if done == STEPS // 3:
            print("printed by the task")  # noqa: T201 - it is to be seen where that goes
            logging.getLogger("bench").info("logged by the task")
        while hold and done == STEPS // 2 and Path(hold).exists():
            time.sleep(0.02)
    return f"{STEPS} counted"


@register("hang", Every(3600))
async def hang() -> None:
    """Says what it does, and waits for ever."""
    current_run().progress(7)
    await asyncio.Event().wait()


@register("a_report_with_a_name_that_is_longer_than_most", DailyAt(hour=3))
async def report() -> None:
    """Fails."""
    raise OSError("no route to host")
