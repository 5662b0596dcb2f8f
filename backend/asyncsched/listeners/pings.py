"""Pings to a watchdog outside, such as Healthchecks, that misses what does not come: a run begins, is through, fails.

They are sent by a thread of their own, one after the other. An address is a secret, for whoever
knows it can send pings: it appears in no log and no error.
"""

import atexit
import logging
import queue
import threading
from collections.abc import Mapping
from datetime import datetime
from http.client import HTTPException
from urllib import request
from urllib.error import HTTPError
from urllib.parse import urlsplit, urlunsplit

from asyncsched.engine.outage import Outage
from asyncsched.engine.ports import Listener
from asyncsched.engine.runs import Claim, RunResult, RunStatus

logger = logging.getLogger("asyncsched.listeners")

MOST_WAITING = 1_000
TIMEOUT = 10.0  # seconds a ping may take
LAST_PATIENCE = 2.0  # seconds in which a process that ends sends what is left


class PingListener(Listener):
    """Fetches ``address/start``, then ``address`` or ``address/fail``, for the tasks in *addresses*.

    The last takes the error along. A run that its predicate skipped has not failed.
    """

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses = dict(addresses)
        self._waiting: queue.Queue[tuple[str, str, str | None]] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._outages = {task: Outage(logger, began="ping_failed", ended="ping_sent") for task in addresses}
        self._jam = Outage(logger, began="pings_dropped", ended="pings_taken")
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

    def run_started(self, claim: Claim, started_at: datetime) -> None:
        self._ping(claim.occurrence.task, "/start")

    def run_finished(self, result: RunResult) -> None:
        if result.status in {RunStatus.SUCCEEDED, RunStatus.SKIPPED}:
            self._ping(result.task, "")
        else:
            self._ping(result.task, "/fail", result.error or result.status)

    def _ping(self, task: str, ending: str, text: str | None = None) -> None:
        if task not in self._addresses:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._send_all, name="asyncsched pings", daemon=True)
            self._thread.start()
            atexit.register(self._finish)
        try:
            self._waiting.put_nowait((task, ending, text))
        except queue.Full:
            self._jam.failed("more than %d pings wait to be sent: further ones are dropped", MOST_WAITING)
        else:
            self._jam.worked("pings are taken again")

    def _finish(self) -> None:
        """Let the thread send what is left before the process ends."""
        with self._waiting.all_tasks_done:
            self._waiting.all_tasks_done.wait_for(lambda: not self._waiting.unfinished_tasks, LAST_PATIENCE)

    def _send_all(self) -> None:
        while True:
            task, ending, text = self._waiting.get()
            try:
                self._send(self._addresses[task], ending, text)
            except (OSError, HTTPException, ValueError) as error:  # their messages may contain the address
                reason = f"HTTP {error.code}" if isinstance(error, HTTPError) else _kind(error)
                self._outages[task].failed("%s: its pings fail (%s)", task, reason)
            else:
                self._outages[task].worked("%s: its pings arrive again", task)
            self._waiting.task_done()

    def _send(self, address: str, ending: str, text: str | None) -> None:
        parts = urlsplit(address)
        whole = urlunsplit(parts._replace(path=parts.path.rstrip("/") + ending))
        body = text.encode("utf-8", "replace") if text else None
        ping = request.Request(whole, data=body, headers={"User-Agent": "asyncsched"})  # noqa: S310 - see the handlers
        self._opener.open(ping, timeout=TIMEOUT).close()


def _kind(error: Exception) -> str:
    return type(getattr(error, "reason", error)).__name__
