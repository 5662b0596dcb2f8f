"""Counting what is thrown away, and saying so without filling the log."""

import logging
import time
from collections import Counter
from collections.abc import Callable

logger = logging.getLogger(__name__)

LOG_EVERY = 60.0  # seconds


class Drops:
    """Messages that were not used, by reason. The first is logged, further ones at most once a minute."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._counts: Counter[str] = Counter()
        self._unlogged: Counter[str] = Counter()
        self._logged_at = now() - LOG_EVERY

    @property
    def total(self) -> int:
        """How many messages were dropped so far."""
        return self._counts.total()

    def count(self, reason: str) -> None:
        """Note one dropped message. *reason* is one of a few fixed texts, never part of the message."""
        self._counts[reason] += 1
        self._unlogged[reason] += 1
        if self._now() - self._logged_at >= LOG_EVERY:
            self._logged_at = self._now()
            reasons = ", ".join(f"{count} × {reason}" for reason, count in self._unlogged.most_common())
            logger.warning("messages dropped: %s", reasons, extra={"action": "messages_dropped"})
            self._unlogged.clear()
