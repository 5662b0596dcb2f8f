"""One listener in front of many."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from asyncsched.engine.boundary import Boundary
from asyncsched.engine.context import Run
from asyncsched.engine.outage import is_worth_saying
from asyncsched.engine.ports import Listener
from asyncsched.engine.runs import Claim, RunResult, Skipped, Stall

logger = logging.getLogger("asyncsched.supervisor")


class Fanout(Listener):
    """Hands each event to every listener that cares; one that raises is logged now and then, and disturbs nobody."""

    def __init__(self, listeners: Iterable[Listener]) -> None:
        self._failures: Counter[type[Listener]] = Counter()
        everybody = tuple(listeners)
        self._on_started = _those_who_care(everybody, "run_started")
        self._on_progressed = _those_who_care(everybody, "run_progressed")
        self._on_finished = _those_who_care(everybody, "run_finished")
        self._on_left = _those_who_care(everybody, "run_left")
        self._on_skipped = _those_who_care(everybody, "occurrences_skipped")
        self._on_requests = _those_who_care(everybody, "requests_changed")
        self._on_stalled = _those_who_care(everybody, "stalled")
        self._on_restarted = _those_who_care(everybody, "restarted")

    def run_started(self, claim: Claim, started_at: datetime) -> None:
        self._tell(self._on_started, claim, started_at)

    def run_progressed(self, run: Run) -> None:
        self._tell(self._on_progressed, run)

    def run_finished(self, result: RunResult) -> None:
        self._tell(self._on_finished, result)

    def run_left(self, claim: Claim) -> None:
        self._tell(self._on_left, claim)

    def occurrences_skipped(self, skipped: Skipped) -> None:
        self._tell(self._on_skipped, skipped)

    def requests_changed(self) -> None:
        self._tell(self._on_requests)

    def stalled(self, stall: Stall) -> None:
        self._tell(self._on_stalled, stall)

    def restarted(self, name: str, error: BaseException | None, delay: float) -> None:
        self._tell(self._on_restarted, name, error, delay)

    def _tell(self, methods: tuple[Callable[..., None], ...], *event: Any) -> None:
        left = iter(methods)
        for method in left:
            with Boundary() as boundary:
                method(*event)
                for method in left:  # noqa: PLW2901 - as long as nothing is raised, one boundary is enough for all
                    method(*event)
            if boundary.error:
                self._report(method, boundary.error)

    def _report(self, method: Any, error: BaseException) -> None:
        kind = type(method.__self__)
        self._failures[kind] += 1
        if is_worth_saying(count := self._failures[kind]):
            times = f", {count} times so far" if count > 1 else ""
            logger.error("listener %s failed%s", kind.__name__, times, exc_info=error)


def _those_who_care(listeners: Iterable[Listener], name: str) -> tuple[Callable[..., None], ...]:
    """Return the methods called *name* of those listeners that do not just inherit it."""
    methods = (getattr(listener, name) for listener in listeners)
    return tuple(method for method in methods if getattr(method, "__func__", None) is not getattr(Listener, name))
