"""A kit for tests of scheduled tasks: virtual time, and a listener that remembers.

Use it with a loop whose time is virtual, such as looptime's: an hour of schedules then passes in
about a second, in the order in which it would have happened.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from asyncsched.engine.clock import SystemClock
from asyncsched.engine.ports import Listener
from asyncsched.engine.runs import Claim, RunResult, Skipped
from asyncsched.storage.memory import MemoryStore

__all__ = ["MemoryStore", "RecordingListener", "VirtualClock"]


class VirtualClock(SystemClock):
    """A clock that starts at *start* and goes as the running loop's time goes. Create it on that loop."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._loop = asyncio.get_running_loop()
        self._start = start - timedelta(seconds=self._loop.time())
        self._step = 0.0
        self._stepped = asyncio.Event()

    earliest = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        return self._loop.time()

    def set_back(self, seconds: float) -> None:
        """Step the wall clock back by *seconds* (forward if negative), as ``date -s`` would."""
        self._start -= timedelta(seconds=seconds)
        self._step -= seconds
        self._stepped.set()

    async def stepped(self) -> float:
        await self._stepped.wait()
        self._stepped.clear()
        step, self._step = self._step, 0.0
        return step


class RecordingListener(Listener):
    """Remembers everything it is told, in order."""

    def __init__(self) -> None:
        self.started: list[Claim] = []
        self.finished: list[RunResult] = []
        self.skipped: list[Skipped] = []
        self.restarts: list[tuple[str, BaseException | None, float]] = []
        self._news = asyncio.Event()

    async def wait_for(self, condition: Callable[["RecordingListener"], bool], within: float = 60.0) -> None:
        """Return once *condition* of this listener holds; raise TimeoutError after *within* seconds of loop time."""
        async with asyncio.timeout(within):
            while not condition(self):
                self._news.clear()
                await self._news.wait()

    def run_started(self, claim: Claim, started_at: datetime) -> None:
        self.started.append(claim)
        self._news.set()

    def run_finished(self, result: RunResult) -> None:
        self.finished.append(result)
        self._news.set()

    def occurrences_skipped(self, skipped: Skipped) -> None:
        self.skipped.append(skipped)
        self._news.set()

    def restarted(self, name: str, error: BaseException | None, delay: float) -> None:
        self.restarts.append((name, error, delay))
        self._news.set()
