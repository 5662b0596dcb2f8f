"""Looks at the lease's row all the while, past every proxy, and notes when it changes."""

import threading
import time
from contextlib import suppress

from tests.chaos.database import UNREACHABLE, Database, lease
from tests.chaos.records import Lead

EVERY = 0.1  # seconds


class Observer:
    """Observes from ``start`` to ``stop``; ``leads`` is what it saw, in order."""

    def __init__(self, database: Database) -> None:
        self.leads: list[Lead] = []
        self._database = database
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._observe, name="observer", daemon=True)

    @property
    def leader(self) -> int | None:
        """The pid of whoever held the lease when last seen."""
        return self.leads[-1].pid if self.leads else None

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self._thread.join(10)

    def _observe(self) -> None:
        while not self._stopped.wait(EVERY):
            with suppress(*UNREACHABLE):  # it is being restarted
                self._note(lease(self._database))

    def _note(self, seen: tuple[int, int | None] | None) -> None:
        if seen and (not self.leads or seen != (self.leads[-1].term, self.leads[-1].pid)):
            self.leads.append(Lead(at=time.monotonic(), term=seen[0], pid=seen[1]))
