"""The message of one run: sent, and sent again until a worker picks the run up, for brokers lose messages."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from asyncsched.engine.outage import Outage
from asyncsched.engine.runner import describe
from asyncsched.executors.threads import Answer, in_thread
from asyncsched.policy import backoff

logger = logging.getLogger("asyncsched.handoff")

MOST_SECONDS = 3600.0  # between two messages
MOST_SECONDS_DOWN = 60.0  # between two tries while it cannot be sent


class Delivery:
    """Sends by *send*, which may block, until *expires_at*: again after *again_after* seconds, then twice as many.

    If it *is_sent* by a process that is gone, it is sent again at once. What cannot be sent is tried again
    soon; *outage* is told.
    """

    def __init__(
        self,
        name: str,
        send: Callable[[], None],
        *,
        expires_at: datetime | None,
        is_sent: bool,
        again_after: float,
        outage: Outage,
    ) -> None:
        self._name = name
        self._send = send
        self._expires_at = expires_at
        self._again_after = again_after
        self._outage = outage
        self._due = now = time.monotonic()
        left = (expires_at - datetime.now(UTC)).total_seconds() if expires_at else float("inf")
        self._until = now + left
        self._sending: asyncio.Future[Answer[None]] | None = None
        self._sent, self._failed = int(is_sent), 0
        self._error: BaseException | None = None

    @property
    def is_over(self) -> bool:
        """True from *expires_at* on."""
        return time.monotonic() >= self._until

    @property
    def failure(self) -> str:
        """Why it did not get to a worker in time, in a sentence, once it is over."""
        before = f"before {self._expires_at:%Y-%m-%d %H:%M:%S %Z}"
        if self._error is not None:
            return f"could not be sent {before}: {describe(self._error)}"
        return f"no worker picked it up {before}" if self._sent else f"the broker did not take it {before}"

    def go_on(self) -> None:
        """Send, if it is time to."""
        if self._sending is not None or self.is_over or time.monotonic() < self._due:
            return
        if self._sent:
            extra = {"action": "sent_once_more", "task": self._name}
            logger.warning("%s: no worker has picked it up so far, it is sent once more", self._name, extra=extra)
        self._sending = in_thread(self._send, f"asyncsched-{self._name}-send")
        self._sending.add_done_callback(self._note)

    def _note(self, sending: asyncio.Future[Answer[None]]) -> None:
        self._sending = None
        self._error = error = sending.result().error
        if error is None:
            self._sent += 1
            self._failed = 0
            pause = backoff(self._sent, first=self._again_after, most=MOST_SECONDS)
            self._outage.worked("%s: can be sent again", self._name)
        else:
            self._failed += 1
            pause = backoff(self._failed, first=1.0, most=MOST_SECONDS_DOWN)
            self._outage.failed("%s: cannot be sent now, it is tried again: %s", self._name, describe(error))
        self._due = time.monotonic() + pause
