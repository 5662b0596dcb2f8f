"""The alarm as this process knows it, for whoever may not ask the database, and who wakes for its changes."""

import threading

from alarm.machine import Status
from asyncsched import Bell


class Board:
    """Keeps the newest status that this process has heard of, and which of its own it has not told yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._status: Status | None = None
        self._is_untold = False
        self.timers, self.news = Bell(), Bell()
        """Both ring when this process has changed the alarm: one for the timers, one for the push."""

    @property
    def status(self) -> Status | None:
        """The newest, None before anybody has looked."""
        return self._status

    def learn(self, status: Status) -> Status:
        """Put *status* up unless a newer one is up already; return what is up then."""
        with self._lock:
            if self._status is None or status.version > self._status.version:
                self._status = status
            return self._status

    def changed(self, status: Status) -> None:
        """Put up what this process has made of the alarm and committed. From any thread."""
        self.learn(status)
        self._is_untold = True
        self.timers.ring()
        self.news.ring()

    def take_news(self) -> Status | None:
        """Return the newest status if this process has changed the alarm since the last call, else None."""
        with self._lock:
            news = self._status if self._is_untold else None
            self._is_untold = False
            return news

    def reset(self) -> None:
        """Forget everything, as after a start of the process."""
        with self._lock:
            self._status, self._is_untold = None, False


board = Board()
