"""Results become rows, in batches, and survive a database that is away for a while.

What must be seen soon (claimed runs, what has a row of its own, the first run of each task) is
written within SOON. The rest waits for the end of the minute: rows that the successes of a minute
share, how tasks stand, and what tasks below a minute skipped. So an idle home costs one small
transaction a minute.

However much there is, it goes in small batches, and between two of them whoever asks the database
for something has its turn: so a claim waits for one batch, and not for all that is kept.

While the database is away all is kept. What is more than MOST_KEPT rows is summed up, see
``steps``, and nothing is dropped.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Collection
from datetime import datetime
from functools import partial

from django.db import DatabaseError, InterfaceError, InternalError, OperationalError, connections

from asyncsched.conf import Settings
from asyncsched.engine.outage import Outage
from asyncsched.engine.runner import describe
from asyncsched.engine.runs import RunResult, Settled, Skipped
from asyncsched.policy import backoff
from asyncsched.registry import Task
from asyncsched.storage import claims, presence, rows, skips
from asyncsched.storage.backlog import Backlog, Batch
from asyncsched.storage.intake import MINUTE, minute

logger = logging.getLogger("asyncsched.storage")

SOON = 0.5
STRAGGLERS = 1.0  # so long after its end a minute is summed up
LATER = 60.0 + STRAGGLERS
LEAST_IN_BATCH = 32  # a row, a state and a skip of each of ten tasks: a minute of a home is one transaction
MOST_IN_BATCH = 200
GIL_SECONDS = 0.002  # of the processor to write a batch: the event loop may have to wait for as long
BREATH = 0.002  # the shortest rest between two batches, in which the event loop and other writers have their turn
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
        self._most_kept = most_kept
        self._backlog = Backlog(replica=replica, slow_run=slow_run)
        self._has_urgent = False  # the loop says so, the thread takes note
        self._batches: deque[Batch] = deque()  # on their way; they stay as they are until it is known what became
        self._is_uncertain = False  # whether the first of them has been written
        self._running: set[str] = set()
        self.contact = presence.Contact()
        self._in_batch = LEAST_IN_BATCH
        self._minute_at = self._write_at = time.monotonic() + self._rest_of_minute()
        self._renew_at = 0.0
        self._abandon_at = 0.0
        self._outage = Outage(logger, began="history_unavailable", ended="history_available")
        self._said: set[str] = set()  # what was summed up in this outage

    def add(self, task: Task, event: RunResult | Settled) -> bool:
        """Keep *event*, from any thread; return True if the thread is to be called, to write it soon."""
        return self._backlog.add(task, event) and self._is_first_urgent()

    def skip(self, task: Task | None, skipped: Skipped) -> bool:
        """Keep *skipped*, from any thread; return True as ``add`` does. *task* is None if it is unknown here."""
        if not skips.is_kept(task, skipped):
            return False
        self._backlog.skip(task, skipped)
        return (task is None or not task.schedule.is_subminute) and self._is_first_urgent()

    def runs(self, run_id: str) -> None:
        """A claimed run begins: renew its heartbeat until it has ended."""
        self._running.add(run_id)

    @property
    def running(self) -> Collection[str]:
        """The claimed runs that have begun and not ended, as far as the thread knows."""
        return self._running

    def forget(self, run_id: str) -> None:
        """The claimed run will not take place."""
        self._running.discard(run_id)

    def run_due(self) -> float:
        """Write and renew if it is time; return the seconds until it may be time again."""
        self._take_in()
        moment = time.monotonic()
        if moment >= self._write_at:
            self._write_some(moment)
        if self._running and moment >= self._renew_at:
            self._renew_at = moment + claims.HEARTBEAT.total_seconds()
            self._attempt(lambda: claims.renew(sorted(self._running), self._now()))
        if moment >= self._abandon_at:
            self._abandon_at = moment + claims.HEARTBEAT.total_seconds()
            self._attempt(
                lambda: claims.abandon_expired(self._now(), by=self._replica, knows_dead=self.contact.is_steady),
                writes=False,
            )
        if self._has_urgent and not self._is_uncertain:  # else the database is away: the retry is on its way
            self._write_at = min(self._write_at, time.monotonic() + SOON)
        return self._patience()

    def write_outcomes(self, task: str) -> None:
        """Write how claimed runs of *task* have ended: none of them may count as running any more."""
        self._take_in()
        if outcomes := self._backlog.take_outcomes(task):
            self._batches.append(outcomes)
        self._write_batches()

    def write_now(self, *, to_the_end: bool = False) -> bool:
        """Write what is kept, without waiting for its time; return False if the database did not take it.

        Rows of the minute that goes on are not complete and stay, but *to_the_end*.
        """
        self._take_in()
        but = None if to_the_end else minute(self._now())
        self._collect(but)
        while self._write_batches():
            if not self._next_batch():
                self._collect(but)  # how tasks stand was not collected anew if it waited to be written
                if not self._backlog.has_more:
                    return True
        return False

    def finish(self, deadline: float) -> None:
        """Write everything, trying until the monotonic *deadline*; what is lost then is said."""
        while not self.write_now(to_the_end=True) and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(0.2, left))
        if self._batches or self._backlog:
            runs = self._backlog.runs + sum(one.runs for batch in self._batches for one in batch.standings)
            skipped = self._backlog.skips + sum(one.count for batch in self._batches for one in batch.tallies)
            logger.error("history: the last %d runs and %d skips could not be written and are lost", runs, skipped)

    def _take_in(self) -> None:
        for run_id in self._backlog.take_in():  # what has ended must not look as if it went on, written or not
            self._running.discard(run_id)
        if self._outage.failures:
            self._fold()

    def _is_first_urgent(self) -> bool:
        """True for the first that is urgent since those before were collected: the others need not call the thread.

        They are kept already, so whoever takes the sign back and collects finds them.
        """
        if self._has_urgent:
            return False
        self._has_urgent = True
        return True

    def _rest_of_minute(self) -> float:
        now = self._now()
        return (minute(now) + MINUTE - now).total_seconds() + STRAGGLERS

    def _write_some(self, moment: float) -> None:
        """Write one batch of what it is time for."""
        if moment >= self._minute_at:
            self._collect(minute(self._now()))
        elif not self._backlog.is_under_way:
            self._has_urgent = False
            self._backlog.collect_urgent()
        if (self._batches or self._next_batch()) and not self._write_first():
            return
        self._write_at = self._minute_at
        if self._batches or self._backlog.has_more:
            now = time.monotonic()
            self._write_at = now + max(BREATH, now - moment)  # as it took: on SQLite nobody else can write meanwhile

    def _collect(self, but: datetime | None) -> None:
        self._has_urgent = False
        self._backlog.collect(but)
        self._minute_at = self._write_at = time.monotonic() + self._rest_of_minute()

    def _write_batches(self) -> bool:
        """Write all that is on its way; return False if the database did not take it."""
        while self._batches:
            if not self._write_first():
                return False
        return True

    def _write_first(self) -> bool:
        """Write the first that is on its way; return False if the database did not take it."""
        if not self._attempt(partial(self._write, self._batches[0])):
            self._is_uncertain = True
            self._write_at = time.monotonic() + backoff(self._outage.failures, first=1.0, most=LONGEST_RETRY)
            self._fold()
            return False
        self._is_uncertain = False
        self._said.clear()
        return True

    def _next_batch(self) -> bool:
        if batch := self._backlog.take(self._in_batch):
            self._batches.append(batch)
        return bool(batch)

    def _patience(self) -> float:
        moments = [self._write_at, self._renew_at] if self._running else [self._write_at]
        return max(0.0, min(LATER, min(moments) - time.monotonic()))

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
        began = time.thread_time()
        try:
            if not (self._is_uncertain and rows.is_written(batch)):
                rows.write(batch, replica=self._replica, now=self._now())
        except OUTAGES:
            raise
        except (DatabaseError, ValueError) as error:
            refusal = error
        self._batches.popleft()
        took = max(time.thread_time() - began, 1e-6)
        self._in_batch = min(MOST_IN_BATCH, max(LEAST_IN_BATCH, int(len(batch) * GIL_SECONDS / took)))
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
