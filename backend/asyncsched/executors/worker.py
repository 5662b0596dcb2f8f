"""What a worker does with an order: pick the run up, carry it out while saying that it lives, and tell how it ended.

Whatever brings the order may bring it twice: the second pick-up is refused. If the database does not
answer when a run is to be picked up, nothing has begun; the error is the engine's to deal with, and
the order is sent again in any case. Once picked up, the function runs whether the database answers or not.
"""

import logging
import os
import socket
import threading
import time
from typing import Self

from django.db import Error as DatabaseError
from django.db import connections

from asyncsched.engine.boundary import Boundary
from asyncsched.engine.context import Run
from asyncsched.engine.outage import Outage
from asyncsched.engine.runner import describe
from asyncsched.engine.runs import Outcome
from asyncsched.executors.order import Meaning, Order, perform
from asyncsched.policy import backoff
from asyncsched.storage import handoffs
from asyncsched.storage.connections import thread_connections

logger = logging.getLogger("asyncsched.worker")

TELLS_FOR = 900.0
"""Seconds for which a worker tries to tell how a run ended while the database does not answer."""


def work(order: Order, *, beat: float, host: str = "", meaning: Meaning | None = None) -> None:
    """Carry out *order*, unless its run is not to begin.

    Every *beat* seconds the worker, which calls itself by *host* and process id, says that it lives.
    *meaning* is as of ``perform``. Raises a database error if the run could not be picked up.
    """
    with thread_connections():
        picked_up = handoffs.pick_up(order.run_id, f"{host or socket.gethostname()}:{os.getpid()}")
    if not picked_up:
        logger.info("%s: not begun, it was picked up or withdrawn before", order.task, extra=_extra("refused", order))
        return
    run = order.to_run()
    with _Beats(order, run, beat):
        outcome = perform(order, run, meaning=meaning, ends_when_told=True)
        if not _tell(order, run, outcome, meaning):
            said = "%s: %s, but counts as ended already"
            logger.warning(said, order.task, outcome.status, extra=_extra("told_late", order))


class _Beats(threading.Thread):
    """Says again and again that the worker lives, and asks the run to stop once it is over its time, or not wanted."""

    def __init__(self, order: Order, run: Run, every: float) -> None:
        super().__init__(name=f"asyncsched-{order.task}-beats", daemon=True)
        self._order = order
        self._run = run
        self._every = every
        self._over = threading.Event()
        self._outage = Outage(logger, began="beats_lost", ended="beats_heard")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._over.set()
        self.join(timeout=1.0)  # no longer: the database may not answer it

    def run(self) -> None:
        ends_at = time.monotonic() + (self._order.timeout or float("inf"))
        with thread_connections():
            while not self._over.wait(min(self._every, max(0.0, ends_at - time.monotonic()))):
                if time.monotonic() >= ends_at:
                    self._run.stop()
                    ends_at = float("inf")
                else:
                    self._beat()

    def _beat(self) -> None:
        done, total = self._run.done_of_total
        try:
            if not handoffs.beat(self._order.run_id, done=done, total=total):
                self._run.stop()
        except DatabaseError as error:
            connections.close_all()
            self._outage.failed("%s: cannot say that it goes on: %s", self._order.task, describe(error))
        else:
            self._outage.worked("%s: can say again that it goes on", self._order.task)


def _tell(order: Order, run: Run, outcome: Outcome, meaning: Meaning | None) -> bool:
    """Write *outcome* down, again and again while the database does not answer; return False if it comes too late."""
    done, total = run.done_of_total
    outage = Outage(logger, began="outcome_held", ended="outcome_told")
    gives_up_at = time.monotonic() + TELLS_FOR
    pause = 0.0
    while True:
        with Boundary() as boundary:
            time.sleep(pause)
            with thread_connections():
                is_heard = handoffs.end(order.run_id, outcome, done=done, total=total)
            outage.worked("%s: has told that it %s", order.task, outcome.status)
            return is_heard
        error = boundary.error
        is_passing = isinstance(error, DatabaseError) or (error and meaning and meaning(error))
        if error and not (is_passing and time.monotonic() < gives_up_at):
            raise error
        outage.failed("%s: cannot tell yet that it %s: %s", order.task, outcome.status, error)
        pause = backoff(outage.failures, first=1.0, most=30.0)


def _extra(action: str, order: Order) -> dict[str, str]:
    return {"action": action, "task": order.task, "run": order.run_id}
