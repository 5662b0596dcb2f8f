"""Celery beat: its scheduler's tick, with a publisher that runs the job on the spot instead of sending a message."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.beat import Scheduler
from celery.schedules import schedule

from benchmarks.engine.plan import Plan, System


class Beat(System):
    """Beat knows no grid: it counts from the last run, so that what is late once stays so."""

    def __init__(self) -> None:
        self._ticking = Ticking()

    async def start(self, plan: Plan) -> None:
        jobs = [plan.sync_job(offset) for offset, _job in plan.schedules]
        app = Celery(broker="memory://", set_as_current=False)
        entries = {
            f"job_{number}": {
                "task": "job",
                "schedule": schedule(plan.period, app=app),
                "args": (number,),
                "last_run_at": plan.origin(offset),
            }
            for number, (offset, _job) in enumerate(plan.schedules)
        }
        scheduler = Scheduler(app, lazy=True)
        scheduler.update_from_dict(entries)
        scheduler.send_task = publisher(jobs)
        self._ticking.start(scheduler.tick)

    async def stop(self) -> None:
        await self._ticking.stop()


class Ticking:
    """What beat's own service does: tick, and wait for as long as the tick says. In a thread of its own."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self, tick: Callable[[], float]) -> None:
        self._tick = tick
        self._thread.start()

    async def stop(self) -> None:
        """Stop after the tick that is under way."""
        self._stopping.set()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._stopping.wait(self._tick())


def publisher(jobs: list[Callable[[], None]]) -> Callable[..., None]:
    """Return what takes the place of sending the task; its argument is the number of the job."""

    def send_task(name: str, args: list[int], kwargs: Any, **options: Any) -> None:
        jobs[args[0]]()

    return send_task


def system() -> System:
    return Beat()
