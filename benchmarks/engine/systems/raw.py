"""Plain asyncio: one coroutine for each schedule. Nothing is supervised, timed out, counted or written down."""

import asyncio
import time

from benchmarks.engine.plan import Job, Plan, System


class Raw(System):
    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, plan: Plan) -> None:
        self._tasks = [asyncio.create_task(_repeat(plan, offset, job)) for offset, job in plan.schedules]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _repeat(plan: Plan, offset: float, job: Job) -> None:
    due = plan.next_after(time.time(), offset)
    while True:
        await asyncio.sleep(due - time.time())
        await job()
        due = plan.next_after(max(due, time.time()), offset)  # what is missed is left out


def system() -> System:
    return Raw()
