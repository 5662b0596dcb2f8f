"""taskiq: its scheduler's loop, with its broker in memory, which runs the jobs on the same event loop."""

import asyncio
import time

from taskiq import InMemoryBroker, TaskiqScheduler
from taskiq.cli.scheduler.run import SchedulerLoop
from taskiq.schedule_sources import LabelScheduleSource

from benchmarks.engine.plan import Plan, System


class Taskiq(System):
    """It looks once a second for what is due, at whole seconds: schedules cannot be spread over them."""

    spreads = False

    def __init__(self) -> None:
        self._scheduler: TaskiqScheduler | None = None
        self._loop: asyncio.Task[None] | None = None

    async def aligned(self, plan: Plan) -> None:
        """It counts from the first whole second after its start."""
        await asyncio.sleep(plan.next_after(time.time() + 0.9, 0.0) - 0.9 - time.time())

    async def start(self, plan: Plan) -> None:
        jobs = [job for _offset, job in plan.schedules]
        broker = InMemoryBroker()

        async def job(number: int) -> None:
            await jobs[number]()

        schedule = [{"interval": max(1, round(plan.period)), "args": [number]} for number in range(plan.count)]
        broker.register_task(job, task_name="job", schedule=schedule)
        source = LabelScheduleSource(broker)
        self._scheduler = TaskiqScheduler(broker, [source])
        await source.startup()
        await self._scheduler.startup()
        self._loop = asyncio.create_task(SchedulerLoop(self._scheduler).run())

    async def stop(self) -> None:
        if self._loop and self._scheduler:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
            await self._scheduler.shutdown()


def system() -> System:
    return Taskiq()
