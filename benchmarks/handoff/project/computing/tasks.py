"""A task that computes; beside it those of every half second, which note when they start."""

import time

from asyncsched import Every, register
from benchmarks.handoff.project import options
from benchmarks.web.project.ticking.tasks import starts

TASKS = 10
EVERY = 0.5  # seconds


async def tick() -> None:
    """Note the start."""
    starts.note()


for number in range(TASKS):
    register(f"tick {number}", Every(seconds=EVERY, offset=EVERY * number / TASKS), timeout=10)(tick)

if options.EXECUTOR != "nothing":

    @register("compute", Every(seconds=options.PERIOD), executor=options.EXECUTOR, timeout=60)
    def compute() -> int:
        """Keep a processor busy."""
        until = time.thread_time() + options.COMPUTING
        total = 0
        while time.thread_time() < until:
            total += sum(range(1_000))
        return total
