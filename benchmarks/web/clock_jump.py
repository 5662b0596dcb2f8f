"""
What it costs when the wall clock jumps ten years ahead: every task looks at all that it has missed.

`python -m benchmarks.web.clock_jump SYSTEM SCHEDULE TASKS`: so many tasks with one schedule of SCHEDULES, a third of
them with each way to catch up. Ours is the real scheduler, with a clock that can be set and a store in memory.
"""

import asyncio
import importlib
import sys
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta

from asyncsched.engine.executor import LocalExecutor
from asyncsched.engine.ports import Listener
from asyncsched.engine.runs import Claim, Skipped
from asyncsched.engine.supervisor import Supervisor
from asyncsched.policy import CatchUp, Options
from asyncsched.registry import Task
from asyncsched.schedules import Cron, DailyAt, Every, Schedule
from asyncsched.testing import MemoryStore, VirtualClock
from benchmarks.child import report
from benchmarks.engine.measure import Figures, Window

SCHEDULES: Mapping[str, Schedule] = {
    "every 50 ms": Every(seconds=0.05),
    "every hour": Every(seconds=3600),
    "daily": DailyAt(hour=2, minute=30, tz="Europe/Berlin"),
    "cron in working hours": Cron("*/15 8-18 * * MON-FRI", tz="Europe/Berlin"),
    "cron on 29 February": Cron("30 2 29 2 *", tz="Europe/Berlin"),
}
TEN_YEARS = 3652 * 86_400.0  # seconds
WINDOW = timedelta(minutes=1)  # what is measured is how tasks look, not how they catch up
TICK = 0.001  # seconds between two signs of life of the loop
PATIENCE = 60.0  # seconds


class News(Listener):
    """What is heard of each task since the clock has jumped: a run, or that there was none."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._waited_for = {task.name for task in tasks}
        self.skipped: list[Skipped] = []
        self.complete = asyncio.Event()

    def run_started(self, claim: Claim, started_at: object) -> None:
        self._heard_of(claim.occurrence.task)

    def occurrences_skipped(self, skipped: Skipped) -> None:
        self.skipped.append(skipped)
        self._heard_of(skipped.task)

    def _heard_of(self, task: str) -> None:
        self._waited_for.discard(task)
        if not self._waited_for:
            self.complete.set()


class Pulse:
    """How long the loop was kept from going round, in seconds."""

    longest_pause = 0.0

    async def beat(self) -> None:
        """Look again and again."""
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK)
            self.longest_pause = max(self.longest_pause, time.perf_counter() - before)


def measure(system: str, schedule: str, count: int) -> Figures:
    """Return what the jump costs *count* tasks. *system* is ``ours``, or ends the name of the module of another."""
    if system != "ours":
        figures: Figures = importlib.import_module(f"benchmarks.web.missed_{system}").measure(schedule, count)
        return figures
    options = [Options(catch_up=way, catch_up_window=WINDOW, timeout=10) for way in CatchUp]
    tasks = [
        Task(
            name=f"{number}",
            function=_do_nothing,
            schedule=SCHEDULES[schedule],
            options=options[number % len(options)],
            is_async=True,
        )
        for number in range(count)
    ]
    return asyncio.run(_jumped(tasks))


async def _jumped(tasks: list[Task]) -> Figures:
    clock, news, pulse = VirtualClock(), News(tasks), Pulse()
    scheduler = Supervisor(tasks, clock=clock, store=MemoryStore(), executor=LocalExecutor(1), listeners=[news])
    await scheduler.start()
    beating = asyncio.create_task(pulse.beat())
    await asyncio.sleep(TICK)  # everybody takes the first step
    news.skipped.clear()
    window = Window()
    clock.set_back(-TEN_YEARS)
    async with asyncio.timeout(PATIENCE):
        await news.complete.wait()
    cpu = window.cpu
    await asyncio.sleep(TICK)  # until the pulse has noticed
    beating.cancel()
    await scheduler.drain(1)
    return {
        "cpu_per_task_us": cpu / len(tasks) * 1e6,
        "loop_stall_ms": pulse.longest_pause * 1e3,
        "skips_recorded": len(news.skipped),
    }


async def _do_nothing() -> None:
    """What the tasks do."""


if __name__ == "__main__":
    report(lambda: measure(sys.argv[1], sys.argv[2], int(sys.argv[3])))
