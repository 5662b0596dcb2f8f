"""One thread with one database connection, through which everything the scheduler stores goes in order."""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from django.db import Error as DatabaseError
from django.db import close_old_connections, connections

from asyncsched.engine.boundary import Boundary
from asyncsched.errors import StoreUnavailable

logger = logging.getLogger("asyncsched.storage")

ANSWER_WITHIN = 10.0  # seconds a caller waits for the database before it is told StoreUnavailable

Answer = TypeVar("Answer")
Job = Callable[[], None]


class Housekeeping(Protocol):
    """What the thread does between jobs."""

    def run_due(self) -> float:
        """Do what is due; return the seconds until there may be something again."""


class DatabaseThread:
    """Runs database work one piece at a time. Daemonic: a database that hangs must not keep the process alive."""

    def __init__(self, housekeeping: Housekeeping) -> None:
        self._housekeeping = housekeeping
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="asyncsched-storage", daemon=True)
        self._stopped = False
        self._on_end: Callable[[], object] = _nothing

    async def call(self, function: Callable[[], Answer]) -> Answer:
        """Run *function* in the thread and return its answer.

        Raises StoreUnavailable for any database error, and if the answer does not come in time; then
        the function may still be carried out, unseen.
        """
        self._ensure_started()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()

        def job() -> None:
            value: Any = None
            with Boundary() as boundary:
                value = function()
            loop.call_soon_threadsafe(_settle, answer, value, boundary.error)

        self._jobs.put(job)
        try:
            return await asyncio.wait_for(answer, ANSWER_WITHIN)
        except TimeoutError:
            raise StoreUnavailable(f"the database did not answer within {ANSWER_WITHIN:g} s") from None
        except DatabaseError as error:
            raise StoreUnavailable(f"{type(error).__name__}: {error}") from error

    def poke(self) -> None:
        """Let the housekeeping look again: there may be something due sooner than it said."""
        self._ensure_started()
        self._jobs.put(_nothing)

    async def stop(self, last: Job, patience: float) -> None:
        """Finish what is queued, do *last* and end the thread, waiting at most *patience* seconds."""
        if self._stopped or self._thread.ident is None:
            return
        self._stopped = True
        self._jobs.put(last)
        self._jobs.put(None)
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._on_end = lambda: loop.call_soon_threadsafe(ended.set)
        try:
            await asyncio.wait_for(ended.wait(), patience)
        except TimeoutError:
            logger.error("the database did not take the last runs within %.1f s; they are lost", patience)  # noqa: TRY400

    def _ensure_started(self) -> None:
        if self._thread.ident is None:
            self._thread.start()

    def _run(self) -> None:
        patience = 0.0
        while True:
            try:
                job = self._jobs.get(timeout=patience)
            except queue.Empty:
                job = _nothing
            if job is None:
                break
            close_old_connections()
            with Boundary() as boundary:
                job()
                patience = self._housekeeping.run_due()
            if boundary.error:
                patience = 1.0
                logger.error("storage: housekeeping failed", exc_info=boundary.error)
        connections.close_all()
        self._on_end()


def _nothing() -> None:
    """A job that only lets the housekeeping run."""


def _settle(answer: "asyncio.Future[Any]", value: object, error: BaseException | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(value)
    else:
        answer.set_exception(error)
