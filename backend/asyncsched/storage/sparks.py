"""The latest runs of each task, for the spark lines of the live page."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from asyncsched.engine.runs import RunStatus
from asyncsched.models import TaskRun

MOST_RUNS = 60
MOST_TASKS = 100  # each costs a query
BAD = frozenset({RunStatus.FAILED, RunStatus.TIMED_OUT, RunStatus.ABANDONED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A run that ended, or several that went alike and share a row: of them the longest duration, in seconds."""

    duration: float
    is_bad: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """The latest runs of a task that ended, oldest first; and of its newest row, ended or not, which it is."""

    bars: tuple[Bar, ...] = ()
    run_id: uuid.UUID | None = None
    """None if the task has no rows."""
    started_at: datetime | None = None
    lateness: float | None = None
    """Seconds; None while it runs."""

    def as_json(self) -> list[list[float]]:
        """Return duration in seconds, and 1 for a failure, of each bar."""
        return [[round(bar.duration, 4), int(bar.is_bad)] for bar in self.bars]


def sparks(names: Iterable[str]) -> dict[str, Spark]:
    """Return the spark of each task of *names*, of the first MOST_TASKS at most, with one query for each."""
    return {name: _spark(name) for name in list(names)[:MOST_TASKS]}


def _spark(name: str) -> Spark:
    rows = TaskRun.objects.filter(task=name).order_by("-started_at")
    latest = list(rows.only("run_id", "started_at", "lateness", "duration", "status")[:MOST_RUNS])
    if not latest:
        return Spark()
    bars = [
        Bar(duration=row.duration, is_bad=row.status in BAD)
        for row in reversed(latest)
        if row.duration is not None and row.status != RunStatus.SKIPPED
    ]
    newest = latest[0]
    return Spark(bars=tuple(bars), run_id=newest.run_id, started_at=newest.started_at, lateness=newest.lateness)
