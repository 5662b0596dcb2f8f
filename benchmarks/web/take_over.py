"""
How long nothing runs when the process that leads is told to end (SIGTERM), and when it is killed (SIGKILL).

`python -m benchmarks.web.take_over DATABASE SIGNAL…`: two Daphnes on one database with the settings as they come, and a
task of scope cluster every half second that notes which process ran it.
"""

import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.child import report
from benchmarks.engine.measure import Figures
from benchmarks.web.site import site_on
from tests.support.servers import Server

PATIENCE = 60.0  # seconds
AT_WORK = 3  # runs that a leader has done before it ends


class Ledger:
    """Which process ran the task when, in order."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def of(self, server: Server) -> list[float]:
        """Return when *server*, as it was started last, ran the task: seconds since the epoch."""
        if not self._file.exists():
            return []
        complete, _, _ = self._file.read_text().rpartition("\n")
        runs = [line.split() for line in complete.splitlines()]
        return [float(at) for process, at in runs if int(process) == server.process.pid]


def measure(name: str, signals: list[str]) -> Figures:
    """Return how long nothing ran after each of *signals*; who has taken over gets the next."""
    figures: Figures = {}
    with site_on(name) as site, ExitStack() as stack:
        ledger = Ledger(site.ledger)
        leader, other = site.server("daphne"), site.server("daphne")
        for server in (leader, other):
            stack.callback(server.kill)
        leader.start()
        for each in signals:
            _wait_until_at_work(ledger, leader)
            other.start()
            figures |= _taken_over(ledger, leader, other, signal.Signals[each])
            leader, other = other, leader
    return figures


def _wait_until_at_work(ledger: Ledger, leader: Server) -> None:
    leader.wait_until(lambda: len(ledger.of(leader)) >= AT_WORK, timeout=PATIENCE)


def _taken_over(ledger: Ledger, leader: Server, other: Server, number: signal.Signals) -> Figures:
    other.wait_until_serving()
    sent = time.time()
    leader.send(number)
    other.wait_until(lambda: ledger.of(other), timeout=PATIENCE)
    first, last = ledger.of(other)[0], ledger.of(leader)[-1]
    leader.exit_code()
    name = number.name.lower()
    return {f"{name}_gap_s": first - last, f"{name}_until_first_run_s": first - sent}


if __name__ == "__main__":
    report(lambda: measure(sys.argv[1], sys.argv[2:]))
