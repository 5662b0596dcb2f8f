"""Somebody who writes meanwhile, as web requests do, and notes for how long the database let each write wait."""

import threading
import time
from types import TracebackType
from typing import Self

from django.db import OperationalError, connections

from alarm import events

EVERY = 0.02  # seconds from a write to the next


class Writer:
    """Writes one event after the other, in a thread and on a connection of its own, while the ``with`` block lasts."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        """Seconds, of each write; one that was given up is among them."""
        self.written = 0
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._enough.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._enough.wait(EVERY):
            started = time.monotonic()
            self.written += self._has_written()
            self.waits.append(time.monotonic() - started)
        connections.close_all()

    def _has_written(self) -> bool:
        try:
            events.record("door_opened", "The door is open")
        except OperationalError:  # SQLite's "database is locked", after five seconds
            return False
        return True
