"""From an inbox to the database, for as long as it takes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sized
from dataclasses import dataclass
from typing import Any, Never, Protocol, TypeVar

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import Error, close_old_connections, connections

from home.backoff import delay

logger = logging.getLogger(__name__)

FIRST_DELAY = 0.5  # seconds
LONGEST_DELAY = 5.0  # seconds
FLUSH_TIMEOUT = 3.0  # seconds

Result = TypeVar("Result")


class Waiting(Sized, Protocol):
    """What waits to be stored."""

    async def wait(self) -> None:
        """Return once there is something to store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storing:
    """How what waits in *inbox*, called *what*, is stored.

    *store_first* stores some of it, takes out what is done with, and raises django.db.Error while
    the database is away. *report* is told why nothing can be stored at present, None when it can.
    *breath* is the rest after each, in seconds: for the loop and for other writers.
    """

    what: str
    inbox: Waiting
    store_first: Callable[[], Awaitable[None]]
    report: Callable[[str | None], None]
    breath: float

    async def beside(self, following: Coroutine[Any, Any, Never]) -> None:
        """Run *following*, which fills the inbox, until cancelled. What was received is stored before it returns."""
        # A thread of its own for storing: a database that hangs must not hold up others' work.
        async with ThreadSensitiveContext():
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._go_on(), name=f"writer of {self.what}")
                    group.create_task(following, name=f"source of {self.what}")
            finally:
                await self.flush()

    async def flush(self) -> None:
        """Store what is left, once, in at most FLUSH_TIMEOUT seconds, and disconnect; log how much could not be."""
        try:
            async with asyncio.timeout(FLUSH_TIMEOUT):
                while len(self.inbox):
                    await self.store_first()
                await sync_to_async(connections.close_all)()
        except (Error, TimeoutError) as error:
            logger.error("%d %s were not stored: %s", len(self.inbox), self.what, type(error).__name__)  # noqa: TRY400 - expected

    async def _go_on(self) -> Never:
        """Store what comes, until cancelled. While the database is away, try again and again."""
        failures = 0
        while True:
            await self.inbox.wait()
            try:
                await self.store_first()
            except Error as error:
                failures += 1
                # The kind only: the text of some database errors repeats the statement with its values.
                self.report(f"{self.what} wait to be stored: {type(error).__name__}")
                await asyncio.sleep(delay(failures, first=FIRST_DELAY, most=LONGEST_DELAY))
            else:
                failures = 0
                self.report(None)
                await asyncio.sleep(self.breath)


async def in_thread(work: Callable[..., Result], *arguments: Any) -> Result:
    """Do *work* in the thread for storing; close its connection if that is broken or not to be kept.

    Django does so after a web request, and nobody after this.
    """

    def work_and_let_go() -> Result:
        try:
            return work(*arguments)
        finally:
            close_old_connections()

    return await sync_to_async(work_and_let_go)()
