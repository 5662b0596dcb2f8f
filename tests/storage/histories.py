"""Runs and skips by the handful, and a table that remembers them as a database would."""

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from asyncsched import Every, History
from asyncsched.engine.runs import Claim, Occurrence, RunResult, RunStatus, Skipped, SkipReason
from asyncsched.registry import Task
from asyncsched.storage.backlog import Backlog, Batch
from asyncsched.storage.records import Record
from asyncsched.storage.skips import Tally
from tests.engine.conftest import make_task
from tests.storage.test_store_contract import NOON

SUMMED = make_task(schedule=Every(2), name="summed", history=History.SUMMARY)
KEPT = make_task(schedule=Every(2), name="kept", history=History.ALL)
RARE = make_task(schedule=Every(3600), name="rare")


def ran(task: Task, at: float, status: RunStatus = RunStatus.SUCCEEDED, **facts: Any) -> RunResult:
    """Return a run due *at* seconds after noon that began at once and took *duration* seconds, 10 ms by default."""
    due = NOON + timedelta(seconds=at)
    duration = facts.pop("duration", 0.01)
    claim = Claim(
        run_id=uuid.uuid4().hex,
        occurrence=Occurrence(task=task.name, scheduled_for=due, attempt=facts.pop("attempt", 1)),
        has_row=facts.pop("has_row", False),
        term=facts.pop("term", None),
    )
    ended = due + timedelta(seconds=duration)
    return RunResult(claim=claim, status=status, started_at=due, finished_at=ended, duration=duration, **facts)


def missed(task: Task, at: float, reason: SkipReason = SkipReason.OVERLAP, count: int = 1) -> Skipped:
    """Return that *count* occurrences of *task* did not run, the last *at* seconds after noon."""
    last = NOON + timedelta(seconds=at)
    first = last - timedelta(milliseconds=count - 1)
    return Skipped(task=task.name, scheduled_for=last, reason=reason, count=count, first=first)


def taken(backlog: Backlog, most: int = 1_000_000, *, but: datetime | None = None) -> Batch:
    """Return what *backlog* hands over when it is told that it is time."""
    backlog.take_in()
    backlog.collect(but)
    return backlog.take(most)


@dataclass
class Table:
    """What has been written: rows by what they are unique for."""

    records: dict[tuple[object, ...], Record] = field(default_factory=dict)
    tallies: dict[tuple[object, ...], Tally] = field(default_factory=dict)
    runs: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)

    def write(self, batch: Batch) -> None:
        """Insert new runs, write over skips, add to totals."""
        for record in batch.records:
            key = record.task, record.scheduled_for, record.attempt
            assert key not in self.records, "two rows would be of one occurrence"
            self.records[key] = record
        for tally in batch.tallies:
            self.tallies[tally.key] = tally
        for standing in batch.standings:
            self.runs[standing.name] += standing.runs
            self.failures[standing.name] += standing.failures


def counted_runs(records: Iterable[Record]) -> Counter[tuple[str, str]]:
    """Return how many runs *records* stand for, by task and status."""
    counts: Counter[tuple[str, str]] = Counter()
    for record in records:
        counts[record.task, record.status.value] += record.count
    return counts


def counted_skips(tallies: Iterable[Tally]) -> Counter[tuple[str, str]]:
    """Return how many occurrences *tallies* stand for, by task and reason."""
    counts: Counter[tuple[str, str]] = Counter()
    for tally in tallies:
        counts[tally.task, tally.reason.value] += tally.count
    return counts
