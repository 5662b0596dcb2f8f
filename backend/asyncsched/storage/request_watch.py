"""What people ask of the scheduler is looked for in the database thread; the event loop only hears of what is new."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from django.db import DatabaseError, connections

from asyncsched.engine.ports import Requests
from asyncsched.engine.runner import describe
from asyncsched.errors import StoreUnavailable
from asyncsched.storage import requests
from asyncsched.storage.glance import Glance
from asyncsched.storage.thread import ANSWER_WITHIN, NOTHING_TO_DO, DatabaseThread

CHECK = 1.0  # seconds: a pause takes effect within two, and a run that is asked for begins


class RequestWatch:
    """Housekeeping of a DatabaseThread, done *every* so many seconds.

    *answered* is called in the thread whenever the database has answered.
    """

    def __init__(self, answered: Callable[[], None], *, every: float = CHECK) -> None:
        self.tells_always = False
        """True: the loop hears of every look. Else of what has changed, and of runs that have not begun yet."""
        self._answered = answered
        self._every = every
        self._glance = Glance(requests.wanted(), requests.pending)
        self._look_at: float | None = None
        self._told: Requests | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()
        self._found: Requests | StoreUnavailable = Requests()

    async def next(self, thread: DatabaseThread) -> Requests:
        """Wait for news and return them. Raises StoreUnavailable if the database does not answer in *thread*."""
        since = time.monotonic()
        if self._look_at is None:
            self._loop, self._look_at = asyncio.get_running_loop(), since
            thread.poke()
        while not self._news.is_set():
            try:
                async with asyncio.timeout(max(since, self._look_at) + ANSWER_WITHIN - time.monotonic()):
                    await self._news.wait()
            except TimeoutError:
                if max(since, self._look_at) + ANSWER_WITHIN <= time.monotonic():
                    thread.interrupt_if_stuck()
                    raise StoreUnavailable(f"the database did not answer within {ANSWER_WITHIN:g} s") from None
        self._news.clear()
        if isinstance(self._found, StoreUnavailable):
            raise self._found
        return self._found

    def run_due(self) -> float:
        """Look if it is time, in the thread; return the seconds until it is time again."""
        if self._look_at is None:
            return NOTHING_TO_DO
        moment = time.monotonic()
        if moment >= self._look_at:
            self._look_at = moment + self._every
            self._look()
        return max(0.0, self._look_at - time.monotonic())

    def _look(self) -> None:
        try:
            found = self._glance()
        except DatabaseError as error:
            connections.close_all()
            self._told = None
            self._tell(StoreUnavailable(describe(error)))
            return
        self._answered()
        if found is not self._told or found.asked or self.tells_always:
            self._told = found
            self._tell(found)

    def _tell(self, found: Requests | StoreUnavailable) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop was closed: nobody is left who wants to know
                self._loop.call_soon_threadsafe(self._hear, found)

    def _hear(self, found: Requests | StoreUnavailable) -> None:
        self._found = found
        self._news.set()
