"""One thread with one database connection, through which everything the scheduler stores goes in order."""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from django.db import Error as DatabaseError
from django.db import connections

from asyncsched.engine.boundary import Boundary
from asyncsched.engine.runner import describe
from asyncsched.errors import StoreUnavailable
from asyncsched.storage.bounds import BoundedConnection

logger = logging.getLogger("asyncsched.storage")

STUCK = 0.9  # of the patience: who asked began to wait a little before the thread did
NOTHING_TO_DO = 3600.0
ANSWER_WITHIN = 10.0  # seconds a caller waits for the database before it is told StoreUnavailable

Answer = TypeVar("Answer")
Job = Callable[[], None]


class Housekeeping(Protocol):
    """What the thread does between jobs."""

    def run_due(self) -> float:
        """Do what is due; return the seconds until there may be something again."""


class DatabaseThread:
    """Runs database work one piece at a time. Daemonic: a database that hangs must not keep the process alive."""

    def __init__(
        self, *housekeeping: Housekeeping, name: str = "asyncsched-storage", patience: float = ANSWER_WITHIN
    ) -> None:
        self._housekeeping = housekeeping
        self._patience = patience
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._connection: BoundedConnection | None = None
        self._busy_since: float | None = None
        self._answered_at = 0.0
        self._stopped = False
        self._on_end: Callable[[], object] = _nothing

    async def call(
        self,
        function: Callable[[], Answer],
        undo: Callable[[Answer], None] | None = None,
        *,
        within: float | None = None,
    ) -> Answer:
        """Run *function* in the thread and return its answer.

        Raises StoreUnavailable for any database error, and if nobody has had an answer for *within*
        seconds; what the thread is doing then is interrupted, so that it can go on. When
        the caller has gone before its turn comes the function is not run; when it goes meanwhile,
        *undo* takes the answer back, in the thread.
        """
        within = self._patience if within is None else within
        self._ensure_started()
        call = _Call(function, undo, later=self._jobs.put, on_success=self._note_answer)
        self._jobs.put(call.run)
        try:
            await self._wait_for(call.answer, within)
        except asyncio.CancelledError:
            call.leave()
            raise
        if not call.answer.done():
            call.leave()
            self.interrupt_if_stuck()
            raise StoreUnavailable(f"the database did not answer within {within:g} s")
        try:
            return call.answer.result()
        except DatabaseError as error:
            raise StoreUnavailable(describe(error)) from error

    async def _wait_for(self, answer: "asyncio.Future[Any]", within: float) -> None:
        """Wait for *answer*, at most for so long after the call or, behind others, after one of them was answered.

        A queue is no outage: who gave up because it is long would come again, and nobody would be answered in time.
        """
        since = time.monotonic()
        while not answer.done() and (left := max(since, self._answered_at) + within - time.monotonic()) > 0:
            await asyncio.wait((answer,), timeout=left)

    @property
    def is_pooled(self) -> bool:
        """True if a pooler hands its database session to others between two transactions."""
        return self._connection is not None and self._connection.is_pooled

    @property
    def can_be_cut_off(self) -> bool:
        """True if a wait for the database can last for too long, and be ended from outside."""
        return self._connection is not None and self._connection.can_be_cut_off

    def do(self, job: Job) -> None:
        """Run *job* in the thread, when its turn comes; what it raises is logged."""
        self._ensure_started()
        self._jobs.put(job)

    def poke(self) -> None:
        """Let the housekeeping look again: there may be something due sooner than it said."""
        self.do(_nothing)

    def interrupt_if_stuck(self) -> None:
        """Cut the connection off if the thread has been waiting for one answer for too long."""
        began = self._busy_since
        if began is not None and self._connection is not None and time.monotonic() - began >= STUCK * self._patience:
            self._connection.cut_off()

    async def stop(self, last: Job, patience: float) -> bool:
        """Finish what is queued, do *last* and end the thread; return False if that takes longer than *patience*."""
        if self._stopped or self._thread.ident is None:
            return True
        self._stopped = True
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._on_end = lambda: loop.call_soon_threadsafe(ended.set)
        self._jobs.put(last)
        self._jobs.put(None)
        try:
            async with asyncio.timeout(patience):
                await ended.wait()
        except TimeoutError:
            self._on_end = _nothing
            return False
        return True

    def _ensure_started(self) -> None:
        if self._thread.ident is None:
            self._thread.start()

    def _note_answer(self) -> None:
        self._answered_at = time.monotonic()

    def _note_time(self) -> None:
        """What the thread waits for has begun now."""
        self._busy_since = time.monotonic()

    def _run(self) -> None:
        self._connection = connection = BoundedConnection(self._patience, on_statement=self._note_time)
        patience = 0.0
        while True:
            try:
                job = self._jobs.get(timeout=patience)
            except queue.Empty:
                job = _nothing
            if job is None:
                break
            with Boundary() as boundary:
                self._note_time()
                job()
                self._note_time()
                patience = min((chore.run_due() for chore in self._housekeeping), default=NOTHING_TO_DO)
            self._busy_since = None
            if boundary.error:
                patience = 1.0
                logger.error("%s: its work failed", self._thread.name, exc_info=boundary.error)
        with Boundary():  # of a connection that cannot even be closed there is nothing left to say
            connection.close()
        self._on_end()


class _Call(Generic[Answer]):
    """One question to the database, and what becomes of the answer if nobody waits for it any more."""

    def __init__(
        self,
        function: Callable[[], Answer],
        undo: Callable[[Answer], None] | None,
        *,
        later: Callable[[Job], None],
        on_success: Callable[[], None],
    ) -> None:
        self._function = function
        self._undo = undo
        self._later = later
        self._on_success = on_success
        self._loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[Answer] = self._loop.create_future()

    def run(self) -> None:
        """In the thread: ask, unless the caller has gone."""
        if self.answer.done():
            return
        with Boundary() as boundary:
            value = self._function()
        if boundary.error is not None:
            if isinstance(boundary.error, DatabaseError):
                connections.close_all()
            self._loop.call_soon_threadsafe(self._fail, boundary.error)
            return
        self._on_success()
        if self.answer.done():
            self._take_back(value)
        else:
            self._loop.call_soon_threadsafe(self._succeed, value)

    def leave(self) -> None:
        """The caller has gone. An answer that came in the same moment has reached nobody."""
        if not self.answer.cancel() and not self.answer.cancelled() and self.answer.exception() is None:
            value = self.answer.result()
            self._later(lambda: self._take_back(value))

    def _succeed(self, value: Answer) -> None:
        if self.answer.done():
            self._later(lambda: self._take_back(value))
        else:
            self.answer.set_result(value)

    def _fail(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)

    def _take_back(self, value: Answer) -> None:
        if self._undo is not None:
            self._undo(value)


def _nothing() -> None:
    """A job that only lets the housekeeping run."""
