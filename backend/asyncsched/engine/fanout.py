"""One listener in front of many."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime

from asyncsched.engine.boundary import Boundary
from asyncsched.engine.context import Run
from asyncsched.engine.outage import is_worth_saying
from asyncsched.engine.ports import Listener
from asyncsched.engine.runs import Claim, RunResult, Skipped, Stall

logger = logging.getLogger("asyncsched.supervisor")


class Fanout(Listener):
    """Hands each event to every listener; one that raises is logged now and then, and disturbs nobody."""

    def __init__(self, listeners: Iterable[Listener]) -> None:
        self._listeners = tuple(listeners)
        self._failures: Counter[type[Listener]] = Counter()

    def run_started(self, claim: Claim, started_at: datetime) -> None:
        self._tell(lambda listener: listener.run_started(claim, started_at))

    def run_progressed(self, run: Run) -> None:
        self._tell(lambda listener: listener.run_progressed(run))

    def run_finished(self, result: RunResult) -> None:
        self._tell(lambda listener: listener.run_finished(result))

    def occurrences_skipped(self, skipped: Skipped) -> None:
        self._tell(lambda listener: listener.occurrences_skipped(skipped))

    def requests_changed(self) -> None:
        self._tell(lambda listener: listener.requests_changed())

    def stalled(self, stall: Stall) -> None:
        self._tell(lambda listener: listener.stalled(stall))

    def restarted(self, name: str, error: BaseException | None, delay: float) -> None:
        self._tell(lambda listener: listener.restarted(name, error, delay))

    def _tell(self, event: Callable[[Listener], None]) -> None:
        for listener in self._listeners:
            with Boundary() as boundary:
                event(listener)
            if boundary.error:
                self._failures[type(listener)] += 1
                if is_worth_saying(count := self._failures[type(listener)]):
                    times = f", {count} times so far" if count > 1 else ""
                    logger.error("listener %s failed%s", type(listener).__name__, times, exc_info=boundary.error)
