"""Pings to a watchdog outside, such as Healthchecks, that misses what does not come: a run begins, is through, fails.

Those of a task are sent by a thread of their own, one after the other: a watchdog that hangs delays
no pings to another. An address is a secret, for whoever knows it can send pings: it appears in no
log and no error.
"""

import atexit
import logging
import queue
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from urllib import request
from urllib.error import HTTPError
from urllib.parse import urlsplit, urlunsplit

from asyncsched.engine.boundary import Boundary
from asyncsched.engine.outage import Outage
from asyncsched.engine.ports import Listener
from asyncsched.engine.runs import Claim, RunResult, RunStatus

logger = logging.getLogger("asyncsched.listeners")

MOST_WAITING = 20  # pings of a task; older ones would tell a watchdog that is back of what is long over
TIMEOUT = 10.0  # seconds a ping may take
LAST_PATIENCE = 2.0  # seconds in which a process that ends sends what is left


class PingListener(Listener):
    """Fetches ``address/start``, then ``address`` or ``address/fail``, for the tasks in *addresses*.

    The last takes the error along. A run that its predicate skipped has not failed.
    """

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._pings = {task: _Pings(task, address) for task, address in addresses.items()}
        atexit.register(self._finish)

    def run_started(self, claim: Claim, started_at: datetime) -> None:
        self._ping(claim.occurrence.task, "/start")

    def run_finished(self, result: RunResult) -> None:
        if result.status in {RunStatus.SUCCEEDED, RunStatus.SKIPPED}:
            self._ping(result.task, "")
        else:
            self._ping(result.task, "/fail", result.error or result.status)

    def _ping(self, task: str, ending: str, text: str | None = None) -> None:
        if task in self._pings:
            self._pings[task].put(ending, text)

    def _finish(self) -> None:
        """Let the threads send what is left before the process ends."""
        deadline = time.monotonic() + LAST_PATIENCE
        for pings in self._pings.values():
            pings.finish(deadline - time.monotonic())


class _Pings:
    """Those of *task* to *address*. Its thread is started by the first."""

    def __init__(self, task: str, address: str) -> None:
        self._task = task
        self._address = address
        self._waiting: queue.Queue[tuple[str, str | None]] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._send_all, name=f"asyncsched pings of {task}", daemon=True)
        self._outage = Outage(logger, began="ping_failed", ended="ping_sent")
        # Neither files nor redirects, which could tell the address to somebody else.
        self._opener = request.OpenerDirector()
        for handler in (
            request.ProxyHandler(),
            request.HTTPHandler(),
            request.HTTPSHandler(),
            request.HTTPDefaultErrorHandler(),
            request.HTTPErrorProcessor(),
        ):
            self._opener.add_handler(handler)

    def put(self, ending: str, text: str | None) -> None:
        """Let it be sent soon; of too many the oldest go. Called on the loop alone."""
        if self._thread.ident is None:
            self._thread.start()
        if self._waiting.full():
            with suppress(queue.Empty):  # the thread has just taken it
                self._waiting.get_nowait()
                self._waiting.task_done()
        self._waiting.put_nowait((ending, text))

    def finish(self, patience: float) -> None:
        """Wait until all is sent, for at most *patience* seconds."""
        with self._waiting.all_tasks_done:
            self._waiting.all_tasks_done.wait_for(lambda: not self._waiting.unfinished_tasks, patience)

    def _send_all(self) -> None:
        while True:
            ending, text = self._waiting.get()
            with Boundary() as boundary:  # what it raises may name the address
                self._send(ending, text)
            if boundary.error:
                self._outage.failed("%s: its pings fail (%s)", self._task, _reason(boundary.error))
            else:
                self._outage.worked("%s: its pings arrive again", self._task)
            self._waiting.task_done()

    def _send(self, ending: str, text: str | None) -> None:
        parts = urlsplit(self._address)
        whole = urlunsplit(parts._replace(path=parts.path.rstrip("/") + ending))
        body = text.encode("utf-8", "replace") if text else None
        ping = request.Request(whole, data=body, headers={"User-Agent": "asyncsched"})  # noqa: S310 - see the handlers
        self._opener.open(ping, timeout=TIMEOUT).close()


def _reason(error: BaseException) -> str:
    return f"HTTP {error.code}" if isinstance(error, HTTPError) else type(getattr(error, "reason", error)).__name__
