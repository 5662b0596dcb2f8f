"""A clock for tests that go on a loop whose time is virtual."""

import asyncio
from datetime import UTC, datetime, timedelta

from asyncsched.engine.clock import SystemClock


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
