"""Stalls of the event loop become rows: of tasks, of requests, of whatever it was.

They are written by a thread of their own, which has no connection in between. While the database is
away the latest are kept, and tried again.
"""

import logging
from collections import deque

from django.db import DatabaseError, connections

from asyncsched.engine.outage import Outage
from asyncsched.engine.ports import Listener
from asyncsched.engine.runner import describe
from asyncsched.engine.runs import Stall
from asyncsched.models import LoopStall
from asyncsched.storage.texts import storable
from asyncsched.storage.thread import DatabaseThread
from asyncsched.storage.writer import OUTAGES

logger = logging.getLogger("asyncsched.storage")

MOST_KEPT = 1_000
BATCH = 100
RETRY = 5.0  # seconds
LONG = 3_600.0  # seconds until it looks again although nobody has called: nothing is due


class StallRecords(Listener):
    """Writes a row for each stall of the process *replica*. ``run_due`` belongs to the thread."""

    def __init__(self, replica: str) -> None:
        self._replica = replica
        self._waiting: deque[Stall] = deque(maxlen=MOST_KEPT)  # the loop appends, the thread takes: no lock
        self._taken: list[Stall] = []
        self._outage = Outage(logger, began="stalls_unavailable", ended="stalls_available")
        self._thread = DatabaseThread(self, name="asyncsched-stalls")

    def stalled(self, stall: Stall) -> None:
        self._waiting.append(stall)
        self._thread.poke()

    def run_due(self) -> float:
        """Write what waits; return the seconds until it may be time again."""
        try:
            while self._take():
                self._write(self._taken)
                self._taken = []
        except OUTAGES as error:
            self._outage.failed("stalls cannot be written (%s)", describe(error))
            return RETRY
        except DatabaseError:
            logger.exception("%d stalls were refused by the database", len(self._taken))
            self._taken = []
            return 0.0
        finally:
            connections.close_all()
        self._outage.worked("stalls can be written again")
        return LONG

    def _take(self) -> bool:
        """Take some, unless those taken before are still to be written; return False if there are none."""
        self._taken = self._taken or [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        return bool(self._taken)

    def _write(self, batch: list[Stall]) -> None:
        LoopStall.objects.bulk_create(
            LoopStall(
                began_at=stall.began_at,
                seconds=stall.seconds,
                replica=self._replica,
                culprit=storable(stall.culprit)[:200],
                where=storable(stall.where),
                task=stall.task or "",
            )
            for stall in batch
        )
