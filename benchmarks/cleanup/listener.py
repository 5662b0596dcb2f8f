"""A client of ``/ws/status/`` that notes when pushes arrive and for how long the server leaves a ping unanswered."""

import asyncio
import contextlib
import json
import math
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from websockets.asyncio.client import ClientConnection, connect

EVERY = 2.0  # seconds: the grid of the pushes, aligned to the Unix epoch
PING_EVERY = 0.01  # seconds from an answer to the next ping
PATIENCE = 30.0  # seconds until the first messages


class Listener:
    """Listens in a thread of its own as long as the ``with`` block lasts. Times are seconds since the epoch."""

    def __init__(self, url: str, *, cookie: str) -> None:
        self.pushes: list[float] = []
        self.pings: list[tuple[float, float]] = []
        """When each was sent, and how many seconds it took to be answered."""
        self._url, self._cookie = url, cookie
        self._loop = asyncio.new_event_loop()
        self._listening: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop)
        self._thread.join()

    def wait_for_pushes(self, until: float) -> None:
        """Return once a push has arrived that is due at *until* or later."""
        deadline = time.time() + PATIENCE + max(0.0, until - time.time())
        while not (self.pushes and self.pushes[-1] >= until):
            if time.time() > deadline or not self._thread.is_alive():
                raise RuntimeError("no push arrives any more")
            time.sleep(0.05)

    def waits(self, since: float, until: float) -> list[float]:
        """Return for how many seconds pings of that time had to wait."""
        return [took for at, took in self.pings if since <= at <= until]

    def _run(self) -> None:
        with contextlib.closing(self._loop), contextlib.suppress(asyncio.CancelledError):
            self._listening = self._loop.create_task(self._listen())
            self._loop.run_until_complete(self._listening)

    def _stop(self) -> None:
        if self._listening:
            self._listening.cancel()

    async def _listen(self) -> None:
        headers = {"Cookie": self._cookie}
        connecting = connect(self._url, additional_headers=headers, ping_interval=None)
        async with connecting as connection, asyncio.TaskGroup() as group:
            group.create_task(self._ping(connection))
            async for message in connection:
                if json.loads(message)["type"] == "system_status":
                    self.pushes.append(time.time())

    async def _ping(self, connection: ClientConnection) -> None:
        while True:
            sent = time.time()
            answered = await connection.ping()
            self.pings.append((sent, await answered))
            await asyncio.sleep(PING_EVERY)


def lateness(pushes: Sequence[float], since: float, until: float) -> list[float]:
    """Return for each instant from *since* to *until* at which a push was due how many seconds later one came."""
    dues = (number * EVERY for number in range(math.ceil(since / EVERY), math.floor(until / EVERY) + 1))
    return [next(push for push in pushes if push >= due) - due for due in dues]
