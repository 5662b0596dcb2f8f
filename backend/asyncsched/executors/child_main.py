"""What goes on in a process of ``ProcessExecutor``: Django is set up once, then run after run is performed.

Standard input is a socket, on which both sides write lines of JSON::

    the executor   {"order": …}   {"stop": true}              or closes its side: end at once
    the process    {"ready": true}   {"progress": [3, 10]}   {"outcome": …}

Should the executor's process die, that closes its side too. Signals that a terminal or a service manager
sends to every process are not heeded here: the server hears them as well, and knows what to do.
"""

import json
import os
import queue
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType
from typing import Any

import django

from asyncsched.engine.boundary import Boundary
from asyncsched.engine.context import Run
from asyncsched.engine.runs import Outcome
from asyncsched.executors.order import Order, failed, perform

LAST_RESORT = 2.0
"""Seconds until a process that is to end, and whose function does not let go, kills itself."""
PERIOD = 0.25
"""Seconds between two messages about a run's progress."""


def main() -> None:
    """Perform what is ordered until the executor closes its side."""
    link = _Link(_take_standard_input())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, link.interrupted)
    link.start()
    with Boundary() as boundary:
        django.setup()
    if boundary.error is not None:
        link.ended(failed(boundary.error))
        return
    link.send(ready=True)
    for order, run in link.orders():
        link.ended(perform(order, run))


def _take_standard_input() -> socket.socket:
    """Return the socket that is standard input; functions find that empty from now on."""
    taken = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return taken


class _Link:
    """The socket to the executor. Two threads attend to it while the main thread is busy with a run."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._main_thread = threading.get_ident()
        self._sending = threading.Lock()
        self._orders: queue.SimpleQueue[tuple[Order, Run]] = queue.SimpleQueue()
        self._run: Run | None = None
        self._has_news = threading.Event()
        self._is_over = False

    def start(self) -> None:
        for attend in (self._listen, self._report):
            threading.Thread(target=attend, name=f"asyncsched-{attend.__name__}", daemon=True).start()

    def orders(self) -> Iterator[tuple[Order, Run]]:
        while not self._is_over:
            yield self._orders.get()

    def ended(self, outcome: Outcome) -> None:
        with self._sending:
            if self._run is not None:
                self._write_progress(self._run)  # its last word
                self._run = None
            self._write(outcome=outcome.to_dict())

    def send(self, **message: Any) -> None:
        with self._sending:
            self._write(**message)

    def interrupted(self, signal_number: int, frame: FrameType | None) -> None:
        """Get the main thread out of whatever it does, if the executor wants that."""
        if self._is_over:
            raise SystemExit

    def _listen(self) -> None:
        with suppress(ConnectionError), self._connection.makefile("rb") as lines:
            for line in lines:
                message = json.loads(line)
                if "order" in message:
                    order = Order.from_dict(message["order"])
                    self._run = order.to_run(lambda _run: self._has_news.set())
                    self._orders.put((order, self._run))
                elif (run := self._run) is not None:
                    run.stop()
        self._is_over = True
        signal.pthread_kill(self._main_thread, signal.SIGTERM)
        time.sleep(LAST_RESORT)
        os.killpg(0, signal.SIGKILL)  # and what the function has started

    def _report(self) -> None:
        while self._has_news.wait():
            self._has_news.clear()
            with self._sending:
                if self._run is not None:
                    self._write_progress(self._run)
            time.sleep(PERIOD)

    def _write_progress(self, run: Run) -> None:
        if run.done_of_total != (0, None):
            self._write(progress=run.done_of_total)

    def _write(self, **message: Any) -> None:
        with suppress(ConnectionError):  # the executor has gone, which the other thread sees too
            self._connection.sendall(json.dumps(message).encode() + b"\n")
