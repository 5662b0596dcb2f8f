"""Results become rows, in batches, and survive a database that is away for a while.

What must be seen soon (claimed runs, what has a row of its own, the first run of each task) is
written within SOON. The rest waits for the end of the minute: rows that the successes of a minute
share, how tasks stand, and what tasks below a minute skipped. So an idle home costs one small
transaction a minute.

While the database is away all is kept. What is more than MOST_KEPT rows is summed up, see
``steps``, and nothing is dropped.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.db import DatabaseError, InterfaceError, InternalError, OperationalError, connections

from asyncsched.conf import Settings
from asyncsched.engine.outage import Outage
from asyncsched.engine.runner import describe
from asyncsched.engine.runs import RunResult, Settled, Skipped
from asyncsched.policy import backoff
from asyncsched.registry import Task
from asyncsched.storage import claims, presence, rows, skips
from asyncsched.storage.backlog import Backlog, Batch, minute
from asyncsched.storage.records import Place, place

logger = logging.getLogger("asyncsched.storage")

SOON = 0.5
STRAGGLERS = 1.0  # so long after its end a minute is summed up
LATER = 60.0 + STRAGGLERS
BATCH = 100
BREATH = 0.005  # between two batches: making them takes the GIL, and the event loop wants it too
MOST_KEPT = 10_000
SLOW_RUN = Settings().slow_run
ENOUGH_KEPT = 9_000  # summing up goes so far, or it would have to be done again for each new run
LONGEST_RETRY = 5.0

Event = RunResult | Settled | Skipped
OUTAGES = (OperationalError, InterfaceError, InternalError)  # the last: a standby that takes no writes


class Writer:
    """Keeps results until they are written. All but ``add`` and ``skip`` belongs to the database thread."""

    def __init__(
        self,
        *,
        replica: str,
        now: Callable[[], datetime],
        slow_run: float = SLOW_RUN,
        most_kept: int = MOST_KEPT,
    ) -> None:
        self._replica = replica
        self._now = now
        self._slow_run = slow_run
        self._most_kept = most_kept
        self._known: set[str] = set()  # of these people can see that they run
        self._inbox: deque[tuple[Task | None, Event, bool]] = deque()  # the loop appends, the thread takes: no lock
        self._backlog = Backlog(replica=replica, slow_run=slow_run)
        self._batches: deque[Batch] = deque()  # on their way; they stay as they are until it is known what became
        self._is_uncertain = False  # whether the first of them has been written
        self._running: set[str] = set()
        self.contact = presence.Contact()
        self._write_at: float | None = None
        self._renew_at = 0.0
        self._abandon_at = 0.0
        self._outage = Outage(logger, began="history_unavailable", ended="history_available")
        self._said: set[str] = set()  # what was summed up in this outage

    def add(self, task: Task, event: RunResult | Settled) -> bool:
        """Keep *event*, from any thread; return True if it should be written soon."""
        urgent = task.name not in self._known or (
            isinstance(event, RunResult) and place(task, event, slow_run=self._slow_run) is Place.OWN_ROW
        )
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
        """A claimed run begins: renew its heartbeat until it has ended."""
        self._running.add(run_id)

    def forget(self, run_id: str) -> None:
        """The claimed run will not take place."""
        self._running.discard(run_id)

    def run_due(self) -> float:
        """Write and renew if it is time; return the seconds until it may be time again."""
        self._take_in()
        moment = time.monotonic()
        if self._write_at is not None and moment >= self._write_at:
            self._flush()
        if self._running and moment >= self._renew_at:
            self._renew_at = moment + claims.HEARTBEAT.total_seconds()
            self._attempt(lambda: claims.renew(sorted(self._running), self._now()))
        if moment >= self._abandon_at:
            self._abandon_at = moment + claims.HEARTBEAT.total_seconds()
            self._attempt(
                lambda: claims.abandon_expired(self._now(), by=self._replica, knows_dead=self.contact.is_steady),
                writes=False,
            )
        return self._patience()

    def write_now(self) -> None:
        """Write what is kept, without waiting for its time; but rows of the minute that goes on are not complete."""
        self._take_in()
        self._flush()

    def finish(self, deadline: float) -> None:
        """Write everything, trying until the monotonic *deadline*; what is lost then is said."""
        self._take_in()
        while not self._flush(to_the_end=True) and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(0.2, left))
        if self._batches or self._backlog:
            runs = self._backlog.runs + sum(one.runs for batch in self._batches for one in batch.standings)
            skipped = self._backlog.skips + sum(one.count for batch in self._batches for one in batch.tallies)
            logger.error("history: the last %d runs and %d skips could not be written and are lost", runs, skipped)

    def _take_in(self) -> None:
        while self._inbox:
            task, event, urgent = self._inbox.popleft()
            if isinstance(event, Skipped):
                self._backlog.skip(task, event)
            elif task is not None:
                self._backlog.add(task, event)
                if isinstance(event, RunResult):  # what has ended must not look as if it went on, written or not
                    self._running.discard(event.claim.run_id)
            if self._outage.failures and self._write_at is not None:
                self._fold()
                continue  # the database is away: the retry is on its way
            deadline = time.monotonic() + (SOON if urgent else self._rest_of_minute())
            self._write_at = min(deadline, self._write_at or deadline)

    def _rest_of_minute(self) -> float:
        now = self._now()
        return (minute(now) + timedelta(minutes=1) - now).total_seconds() + STRAGGLERS

    def _flush(self, *, to_the_end: bool = False) -> bool:
        """Write what is kept; return False if the database did not take it."""
        while self._batches or self._next_batch(to_the_end=to_the_end):
            if not self._attempt(partial(self._write, self._batches[0])):
                self._is_uncertain = True
                self._write_at = time.monotonic() + backoff(self._outage.failures, first=1.0, most=LONGEST_RETRY)
                self._fold()
                return False
            self._is_uncertain = False
            if self._batches or len(self._backlog) > BATCH:
                time.sleep(BREATH)
        self._said.clear()
        self._write_at = time.monotonic() + self._rest_of_minute() if self._backlog else None
        return True

    def _next_batch(self, *, to_the_end: bool) -> bool:
        if batch := self._backlog.take(BATCH, but=None if to_the_end else minute(self._now())):
            self._batches.append(batch)
        return bool(batch)

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
            self._outage.failed("history cannot be written (%s); runs are kept in memory meanwhile", describe(error))
            connections.close_all()
            return False
        if writes:
            self._outage.worked("history is written again")
        return True

    def _write(self, batch: Batch) -> None:
        """Write *batch*, the first of those on their way. If the database refuses a value, its parts go one by one."""
        refusal: Exception | None = None
        try:
            if not (self._is_uncertain and rows.is_written(batch)):
                rows.write(batch, replica=self._replica, now=self._now())
        except OUTAGES:
            raise
        except (DatabaseError, ValueError) as error:
            refusal = error
        self._batches.popleft()
        if refusal and len(batch) > 1:
            self._batches.extendleft(reversed(list(batch.singles())))
            return
        if refusal:
            logger.error("history: a row of %s was refused by the database: %s", batch.words, refusal)

    def _fold(self) -> None:
        """Keep memory bounded."""
        on_their_way = sum(map(len, self._batches))
        if len(self._backlog) + on_their_way <= self._most_kept:
            return
        enough = max(0, self._most_kept * ENOUGH_KEPT // MOST_KEPT - on_their_way)
        for words in self._backlog.fold(enough, but=minute(self._now())):
            if words not in self._said:
                self._said.add(words)
                logger.warning(
                    "history: more than %d rows wait for the database; %s are summed up", self._most_kept, words
                )
