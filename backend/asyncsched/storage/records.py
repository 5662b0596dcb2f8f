"""What becomes one row of history: a run, or several that went alike, in sum."""

import math
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from typing import Self

from asyncsched.engine.runs import RunResult, RunStatus, Stall, Trigger
from asyncsched.policy import History
from asyncsched.registry import Task


class Place(Enum):
    """Where a run goes in history."""

    OWN_ROW = auto()
    SHARED_ROW = auto()  # with what else succeeded in the same minute
    NO_ROW = auto()


# Looked up for each run, which takes ten times as long in an Enum (Python 3.11).
OWN_ROW, SHARED_ROW, NO_ROW = Place
ALL, SUMMARY = History.ALL, History.SUMMARY
SUCCEEDED = RunStatus.SUCCEEDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """*count* runs of a task that ended with the same status. Times are in UTC, lengths in seconds.

    Of several it tells when the first was due and began and when the last ended, the longest
    duration and lateness, and the error and log lines of the last. Its identity is that of one of its runs: as
    each run is in one record only, no two records can meet in the table's unique constraints.
    """

    run_id: str
    task: str
    scheduled_for: datetime
    attempt: int
    trigger: Trigger
    status: RunStatus
    started_at: datetime
    finished_at: datetime
    duration: float
    lateness: float
    value: str | None
    error: str | None
    traceback: str | None
    stall: Stall | None
    term: int | None
    log: str | None
    has_row: bool
    """Its claim has put a row into the table, which waits for the outcome: nothing can share it."""
    is_ordinary: bool
    """A run of a task below a minute that says no more than that it went well, or did not take place."""
    count: int = 1

    @classmethod
    def of(cls, task: Task, result: RunResult, *, slow_run: float) -> Self:
        """Return what history tells of *result*."""
        occurrence = result.claim.occurrence
        return cls(
            run_id=result.claim.run_id,
            task=occurrence.task,
            scheduled_for=occurrence.scheduled_for,
            attempt=occurrence.attempt,
            trigger=occurrence.trigger,
            status=result.status,
            started_at=result.started_at,
            finished_at=result.finished_at,
            duration=result.duration,
            lateness=result.lateness,
            value=result.value,
            error=result.error,
            traceback=result.traceback,
            stall=result.stall,
            term=result.claim.term,
            log=result.log,
            has_row=result.claim.has_row,
            is_ordinary=task.schedule.is_subminute and not is_notable(result, slow_run=slow_run),
        )

    def plus(self, other: "Record") -> "Record":
        """Return the sum of both. Task and status are the same."""
        first = min(self, other, key=lambda record: (record.scheduled_for, record.attempt))
        last = max(self, other, key=lambda record: record.finished_at)
        return replace(
            first,
            started_at=min(self.started_at, other.started_at),
            finished_at=last.finished_at,
            duration=max(self.duration, other.duration),
            lateness=max(self.lateness, other.lateness),
            value=self.value if self.value == other.value else None,
            error=last.error,
            traceback=last.traceback,
            stall=max(self.stall, other.stall, key=lambda stall: stall.seconds if stall else 0.0),
            log=last.log or self.log or other.log,
            is_ordinary=self.is_ordinary and other.is_ordinary,
            count=self.count + other.count,
        )


class Sum:
    """Successes of a task that share a row, while they come in. It grows in place; a Record is made of it in the end.

    Trigger, attempt and term are the same for all, and none of them is worth a look.
    """

    __slots__ = (
        "_attempt",
        "_count",
        "_duration",
        "_finished_at",
        "_keeps_log",
        "_lateness",
        "_log",
        "_run_id",
        "_scheduled_for",
        "_started_at",
        "_task",
        "_term",
        "_trigger",
        "_value",
    )

    def __init__(self, task: Task, result: RunResult, *, keeps_log: bool) -> None:
        claim, occurrence = result.claim, result.claim.occurrence
        self._task = task
        self._run_id = claim.run_id
        self._scheduled_for = occurrence.scheduled_for
        self._trigger, self._attempt, self._term = occurrence.trigger, occurrence.attempt, claim.term
        self._started_at = result.started_at
        self._finished_at = result.finished_at
        self._duration = result.duration
        self._lateness = result.lateness
        self._value = result.value
        self._keeps_log = keeps_log
        self._log = result.log if keeps_log else None
        self._count = 1

    def add(self, result: RunResult) -> None:
        """Count *result* in. This is done for each run, so without calls of ``min`` and ``max``."""
        self._count += 1
        scheduled_for = result.claim.occurrence.scheduled_for
        if scheduled_for < self._scheduled_for:
            self._run_id, self._scheduled_for = result.claim.run_id, scheduled_for
        if result.started_at < self._started_at:  # noqa: PLR1730
            self._started_at = result.started_at
        is_last = result.finished_at > self._finished_at
        if is_last:
            self._finished_at = result.finished_at
        if result.duration > self._duration:  # noqa: PLR1730
            self._duration = result.duration
        if result.lateness > self._lateness:  # noqa: PLR1730
            self._lateness = result.lateness
        if result.value != self._value:
            self._value = None
        if result.log and self._keeps_log and (is_last or not self._log):
            self._log = result.log

    def record(self) -> Record:
        """Return the row that becomes of it."""
        return Record(
            run_id=self._run_id,
            task=self._task.name,
            scheduled_for=self._scheduled_for,
            attempt=self._attempt,
            trigger=self._trigger,
            status=SUCCEEDED,
            started_at=self._started_at,
            finished_at=self._finished_at,
            duration=self._duration,
            lateness=self._lateness,
            value=self._value,
            error=None,
            traceback=None,
            stall=None,
            term=self._term,
            log=self._log,
            has_row=False,
            is_ordinary=self._task.schedule.is_subminute,
            count=self._count,
        )


def place(task: Task, result: RunResult, *, slow_run: float) -> Place:
    """Return where *result* goes, by the task's history policy."""
    policy = task.options.history
    if result.claim.has_row or policy is ALL:
        return OWN_ROW
    if policy is SUMMARY:
        if is_notable(result, slow_run=slow_run):
            return OWN_ROW
        return SHARED_ROW if result.status is SUCCEEDED else NO_ROW
    return OWN_ROW if policy is History.FAILURES and is_notable(result) else NO_ROW


def is_notable(result: RunResult, *, slow_run: float = math.inf) -> bool:
    """True if it failed, was cut off, blocked the event loop, or succeeded only after more than *slow_run* seconds."""
    if result.stall is not None:
        return True
    if result.status is SUCCEEDED:
        return result.duration > slow_run
    return result.status is not RunStatus.SKIPPED
