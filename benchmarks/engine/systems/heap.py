"""One heap, one timer, and the jobs one after the other: the least that a scheduler in Python can cost."""

import asyncio
import heapq
import time

from benchmarks.engine.plan import Plan, System


class Heap(System):
    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    async def start(self, plan: Plan) -> None:
        self._task = asyncio.create_task(_repeat(plan))

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


async def _repeat(plan: Plan) -> None:
    now = time.time()
    heap = [(plan.next_after(now, offset), number, offset, job) for number, (offset, job) in enumerate(plan.schedules)]
    heapq.heapify(heap)
    while True:
        await asyncio.sleep(heap[0][0] - time.time())
        now = time.time()
        while heap[0][0] <= now:
            due, number, offset, job = heap[0]
            await job()
            heapq.heapreplace(heap, (plan.next_after(max(due, now), offset), number, offset, job))


def system() -> System:
    return Heap()
