"""A thread for each schedule, and one that looks after them: what many projects write for themselves."""

import asyncio
import threading
import time

from benchmarks.engine.plan import Plan, System

LOOK_EVERY = 1.0  # seconds


class Threads(System):
    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._watchdog = threading.Thread(target=self._watch, daemon=True)
        self._plan: Plan | None = None

    async def start(self, plan: Plan) -> None:
        self._plan = plan
        self._threads = [self._thread(offset) for offset, _job in plan.schedules]
        for thread in (*self._threads, self._watchdog):
            thread.start()

    async def stop(self) -> None:
        self._stopping.set()
        await asyncio.to_thread(self._join)

    def _join(self) -> None:
        for thread in (self._watchdog, *self._threads):
            thread.join()

    def _thread(self, offset: float) -> threading.Thread:
        return threading.Thread(target=self._repeat, args=(offset,), daemon=True)

    def _repeat(self, offset: float) -> None:
        plan = self._plan
        assert plan is not None
        job = plan.sync_job(offset)
        due = plan.next_after(time.time(), offset)
        while not self._stopping.wait(due - time.time()):
            job()
            due = plan.next_after(max(due, time.time()), offset)

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_EVERY):
            for number, thread in enumerate(self._threads):
                if not thread.is_alive() and self._plan:
                    self._threads[number] = self._thread(self._plan.schedules[number][0])
                    self._threads[number].start()


def system() -> System:
    return Threads()
