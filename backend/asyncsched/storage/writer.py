"""Results become rows, in batches, and survive a database that is away for a while.

What must be seen soon (claimed runs, failures, the first run of each task) is written within SOON;
the other successes of sub-minute tasks only change their task's state and wait for LATER, so that
an idle home costs two small transactions a minute. What did not run goes the same ways: of tasks
below a minute it waits for LATER. While the database is away all is kept, up to MOST_KEPT; beyond
that what did not run goes first, then the oldest runs that succeeded.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.db import DatabaseError, InterfaceError, InternalError, OperationalError, connections

from asyncsched.engine.outage import Outage
from asyncsched.engine.runs import RunResult, Settled, Skipped
from asyncsched.policy import backoff
from asyncsched.registry import Task
from asyncsched.storage import claims, retention, rows, skips

logger = logging.getLogger("asyncsched.storage")

SOON = 0.5
LATER = 30.0
BATCH = 200
MOST_KEPT = 10_000
LONGEST_RETRY = 30.0
PRUNE_EVERY = 3600.0

Entry = rows.Entry
Event = RunResult | Settled | Skipped
OUTAGES = (OperationalError, InterfaceError, InternalError)  # the last: a standby that takes no writes


class Writer:
    """Keeps results until they are written. All but ``add`` and ``skip`` belongs to the database thread."""

    def __init__(self, *, replica: str, now: Callable[[], datetime], history: timedelta | None) -> None:
        self._replica = replica
        self._now = now
        self._history = history
        self._known: set[str] = set()  # of these people can see that they run
        self._inbox: deque[tuple[Task | None, Event, bool]] = deque()  # the loop appends, the thread takes: no lock
        self._entries: list[Entry] = []
        self._skips = skips.Tallies(replica=replica)
        self._running: set[str] = set()
        self._write_at: float | None = None
        self._renew_at = 0.0
        self._abandon_at = 0.0
        self._prune_at = time.monotonic() + 60.0
        self._outage = Outage(logger, began="history_unavailable", ended="history_available")

    def add(self, task: Task, event: RunResult | Settled) -> bool:
        """Keep *event*, from any thread; return True if it should be written soon."""
        urgent = _is_urgent(task, event) or task.name not in self._known
        self._known.add(task.name)
        self._inbox.append((task, event, urgent))
        return urgent

    def skip(self, task: Task | None, skipped: Skipped) -> bool:
        """Keep *skipped*, from any thread; return True if it should be written soon. *task*: None if unknown here."""
        if not skips.is_kept(task, skipped):
            return False
        urgent = task is None or not task.schedule.is_subminute
        self._inbox.append((task, skipped, urgent))
        return urgent

    def runs(self, run_id: str) -> None:
        """A claimed run begins: renew its heartbeat until its result has been written."""
        self._running.add(run_id)

    def forget(self, run_id: str) -> None:
        """The claimed run will not take place."""
        self._running.discard(run_id)

    def run_due(self) -> float:
        """Write, renew and prune if it is time; return the seconds until it may be time again."""
        self._take_in()
        moment = time.monotonic()
        if self._write_at is not None and moment >= self._write_at:
            self._flush()
        if self._running and moment >= self._renew_at:
            self._renew_at = moment + claims.HEARTBEAT.total_seconds()
            self._attempt(lambda: claims.renew(sorted(self._running), self._now()))
        if moment >= self._abandon_at:
            self._abandon_at = moment + claims.LEASE.total_seconds()
            self._attempt(lambda: claims.abandon_expired(self._now()), writes=False)
        if self._history and moment >= self._prune_at:
            self._prune_at = moment + PRUNE_EVERY
            self._attempt(lambda: retention.prune(self._now() - (self._history or timedelta())), writes=False)
        return self._patience()

    def write_now(self) -> None:
        """Write what is kept, without waiting for its time."""
        self._take_in()
        self._flush()

    def finish(self, deadline: float) -> None:
        """Write everything, trying until the monotonic *deadline*; what is lost then is said."""
        self._take_in()
        while not self._flush() and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(0.2, left))
        if lost := len(self._entries) + len(self._skips):
            logger.error("history: the last %d runs and skips could not be written and are lost", lost)

    def _take_in(self) -> None:
        while self._inbox:
            task, event, urgent = self._inbox.popleft()
            if isinstance(event, Skipped):
                self._skips.add(task, event)
            elif task is not None:
                self._entries.append((task, event))
            if self._outage.failures and self._write_at is not None:
                continue  # the database is away: the retry is on its way
            deadline = time.monotonic() + (SOON if urgent else LATER)
            self._write_at = min(deadline, self._write_at or deadline)

    def _flush(self) -> bool:
        """Write everything that is kept; return False if the database did not take it."""
        while self._entries or self._skips:
            batch = self._entries[:BATCH]
            tallies = self._skips.oldest(BATCH)
            if not self._attempt(partial(self._write, batch, tallies)):
                self._write_at = time.monotonic() + backoff(self._outage.failures, first=1.0, most=LONGEST_RETRY)
                self._shed()
                return False
            del self._entries[: len(batch)]
            self._skips.written(tallies)
            self._running.difference_update(event.claim.run_id for _, event in batch if isinstance(event, RunResult))
        self._write_at = None
        return True

    def _patience(self) -> float:
        deadlines = [self._write_at, self._renew_at if self._running else None]
        waits = [deadline - time.monotonic() for deadline in deadlines if deadline is not None]
        return max(0.0, min([LATER, *waits]))

    def _attempt(self, work: Callable[[], None], *, writes: bool = True) -> bool:
        """Do database *work*; log an outage once when it begins and once when it ends.

        *writes* is False for work that may find nothing to write, and then says nothing of the end.
        """
        try:
            work()
        except OUTAGES as error:
            self._outage.failed(
                "history cannot be written (%s: %s); runs are kept in memory meanwhile", type(error).__name__, error
            )
            connections.close_all()
            return False
        if writes:
            self._outage.worked("history is written again")
        return True

    def _write(self, batch: list[Entry], tallies: list[skips.Tally]) -> None:
        """Write all as one; if the database refuses a value in it, one by one, leaving out what it refuses."""
        try:
            rows.write(batch, tallies, replica=self._replica)
        except OUTAGES:
            raise
        except (DatabaseError, ValueError) as error:
            if len(batch) + len(tallies) == 1:
                name = batch[0][0].name if batch else tallies[0].task
                logger.error("history: a row of %s was refused by the database: %s", name, error)  # noqa: TRY400
                return
            for entry in batch:
                self._write([entry], [])
            for tally in tallies:
                self._write([], [tally])

    def _shed(self) -> None:
        """Keep memory bounded: let what did not run go, then the oldest successes, and failures only at the last."""
        excess = len(self._entries) + len(self._skips) - MOST_KEPT
        if excess <= 0:
            return
        if dropped_skips := self._skips.shed(excess):
            logger.warning("history: %d rows of what did not run dropped, the database is away", dropped_skips)
        excess -= dropped_skips
        if not excess:
            return
        by_worth = sorted(range(len(self._entries)), key=lambda i: (_worth(self._entries[i]), i))
        dropped = set(by_worth[:excess])
        self._entries = [entry for i, entry in enumerate(self._entries) if i not in dropped]
        logger.warning("history: %d runs dropped, the database has been away for too long", excess)


def _is_urgent(task: Task, event: RunResult | Settled) -> bool:
    return isinstance(event, RunResult) and (event.claim.has_row or rows.wants_row(task, event))


def _worth(entry: Entry) -> int:
    _, event = entry
    return int(isinstance(event, RunResult) and event.status.is_failure)
