"""Virtual time: a loop for those who wait, and a wall clock for those who look."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any

from asyncsched.schedules.base import MICROSECOND
from asyncsched.testing.loop import VirtualTimeLoop
from asyncsched.testing.wall import Wall

LAST_WORDS = timedelta(seconds=1)  # for what refuses to be cancelled at the end


class VirtualTime:
    """Time that begins at *start* and passes only in ``run_for`` and ``do``, and then at once."""

    def __init__(self, start: datetime) -> None:
        refuse_running_loop()
        self._wall = Wall(start)
        self._loop = VirtualTimeLoop(on_jump=lambda microseconds: self._wall.shift(microseconds * MICROSECOND))

    @property
    def now(self) -> datetime:
        """What the wall clock shows, in UTC."""
        return self._wall.now

    def run_for(self, length: timedelta) -> None:
        """Let *length* pass, and do all that comes due up to and including its end."""
        refuse_running_loop()
        self._loop.run_for(length // MICROSECOND)

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Let as much time pass as *work* takes."""
        self._loop.run_until_complete(work)

    def step(self, by: timedelta) -> None:
        """Set the wall clock, and let no time pass."""
        self._wall.shift(by)

    def end(self) -> None:
        """Cut off what is going on, and show the real time again."""
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self.run_for(LAST_WORDS)
        self.do(self._loop.shutdown_asyncgens())
        self._loop.close()
        self._wall.stop()


def refuse_running_loop() -> None:
    """Raise RuntimeError where a loop is running: two cannot run in one thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError("virtual time brings its own event loop: make the test a plain 'def', not an 'async def'")
