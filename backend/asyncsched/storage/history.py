"""The read side of history: which runs there were, and why occurrences did not run."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet, Sum

from asyncsched.engine.runs import RunStatus, SkipReason
from asyncsched.models import TaskRun, TaskSkip

MOST_READ = 10_000
LONG_TEXTS = ("traceback", "log")  # columns that only a run's own page shows

WHY: dict[str, str] = {
    SkipReason.OVERLAP: "the previous run was still going",
    SkipReason.COALESCED: "several were due at once; the latest ran for all",
    SkipReason.MISFIRE: "it was missed, and too late to catch up on",
    SkipReason.PAUSED: "the task was paused",
    SkipReason.PREDICATE: "its enabled_when said no",
    SkipReason.SUSPENDED: "the task was resting after repeated failures",
    SkipReason.CLAIMED: "another process had it",
    SkipReason.RUNNING_ELSEWHERE: "the task was still running in another process",
    SkipReason.NOT_LEADER: "another process led and had it",
    SkipReason.CLOCK_STEP: "the wall clock jumped over it",
    SkipReason.SHUTTING_DOWN: "the process was stopping",
    SkipReason.UNKNOWN_TASK: "no task of that name was registered",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One run, or *count* that share a row. Times are aware, in UTC; lengths in seconds.

    Of several, the start is that of the first and the end that of the last; lengths are the longest.
    """

    task: str
    run_id: str
    status: str
    count: int
    trigger: str
    attempt: int
    scheduled_for: datetime
    started_at: datetime
    finished_at: datetime | None
    duration: float | None
    lateness: float | None
    result: str
    error: str
    stall_seconds: float | None
    stall_where: str
    replica: str
    term: int | None
    """The fencing token of the leader that ran it; None where nobody leads, as with scope ``replica``."""

    @property
    def uuid(self) -> UUID:
        """Its identity, as addresses have it."""
        return UUID(self.run_id)

    def as_json(self) -> dict[str, Any]:
        """Return one element of what ``async_tasks history --json`` prints."""
        stall = {"seconds": self.stall_seconds, "where": self.stall_where}
        return {
            "task": self.task,
            "run_id": self.run_id,
            "status": self.status,
            "count": self.count,
            "trigger": self.trigger,
            "attempt": self.attempt,
            "scheduled_for": self.scheduled_for.isoformat(),
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at.isoformat() if self.finished_at else None,
            "duration_s": self.duration,
            "lateness_s": self.lateness,
            "result": self.result or None,
            "error": self.error or None,
            "stall": stall if self.stall_seconds is not None else None,
            "replica": self.replica,
            "term": self.term,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSkip:
    """*count* occurrences that did not run, from *first* to *last*, in UTC."""

    task: str
    reason: str
    count: int
    first: datetime
    last: datetime

    @property
    def why(self) -> str:
        """The reason in words."""
        return in_words(self.reason)

    def as_json(self) -> dict[str, Any]:
        """Return one element of what ``async_tasks history --skipped --json`` prints."""
        return {
            "task": self.task,
            "reason": self.reason,
            "why": self.why,
            "count": self.count,
            "first_scheduled_for": self.first.isoformat(),
            "last_scheduled_for": self.last.isoformat(),
        }


def in_words(reason: str) -> str:
    """Return a skip reason as people say it; one that a newer version has written stays as it is."""
    return WHY.get(reason, reason)


def runs(
    *, task: str | None = None, status: str | None = None, since: datetime | None = None, limit: int
) -> list[PastRun]:
    """Return the latest *limit* runs that started at *since* or later, newest first."""
    found = _runs(task, since, status=status).defer(*LONG_TEXTS).order_by("-started_at")
    return [past_run(row) for row in found[:limit]]


def skips(*, task: str | None = None, since: datetime | None = None, limit: int) -> list[PastSkip]:
    """Return the latest *limit* skips of *since* or later, newest first.

    What ``enabled_when`` kept from running is kept as a skip or as a run that was ``skipped``, never
    as both; it is found in either place.
    """
    kept = kept_skips(task=task, since=since, limit=limit)
    said_no = _runs(task, since, status=RunStatus.SKIPPED).order_by("-started_at")[:limit]
    found = kept + [_skipped_run(row) for row in said_no]
    return sorted(found, key=lambda skip: skip.last, reverse=True)[:limit]


def kept_skips(*, task: str | None = None, since: datetime | None = None, limit: int) -> list[PastSkip]:
    """Return the latest *limit* of what is kept as a skip, newest first: `skips` but for runs that were ``skipped``."""
    return [_skip(row) for row in _skips(task, since).order_by("-last_scheduled_for")[:limit]]


def count_skipped(task: str, *, since: datetime | None = None) -> tuple[int, bool]:
    """Return how many occurrences of *task* did not run since then, and False if that is only the latest of them.

    It reads MOST_READ rows at most.
    """
    latest = _skips(task, since).order_by("-last_scheduled_for").values("count")[:MOST_READ]
    skipped = latest.aggregate(rows=Count("*"), total=Sum("count"))
    latest_runs = _runs(task, since, status=RunStatus.SKIPPED).order_by("-started_at").values("count")[:MOST_READ]
    said_no = latest_runs.aggregate(rows=Count("*"), total=Sum("count"))
    return (skipped["total"] or 0) + (said_no["total"] or 0), max(skipped["rows"], said_no["rows"]) < MOST_READ


def is_known(task: str) -> bool:
    """True if history tells anything of *task*, registered or not."""
    return TaskRun.objects.filter(task=task).exists() or TaskSkip.objects.filter(task=task).exists()


def _runs(task: str | None, since: datetime | None, *, status: str | None) -> QuerySet[TaskRun]:
    wanted = {"task": task, "status": status, "started_at__gte": since}
    return TaskRun.objects.filter(**{name: value for name, value in wanted.items() if value is not None})


def _skips(task: str | None, since: datetime | None) -> QuerySet[TaskSkip]:
    wanted = {"task": task, "last_scheduled_for__gte": since}
    return TaskSkip.objects.filter(**{name: value for name, value in wanted.items() if value is not None})


def past_run(row: TaskRun) -> PastRun:
    """Return what *row* tells, but for LONG_TEXTS."""
    return PastRun(
        task=row.task,
        run_id=row.run_id.hex,
        status=row.status,
        count=row.count,
        trigger=row.trigger,
        attempt=row.attempt,
        scheduled_for=row.scheduled_for,
        started_at=row.started_at,
        finished_at=row.finished_at,
        duration=row.duration,
        lateness=row.lateness,
        result=row.result,
        error=row.error,
        stall_seconds=row.stall_seconds,
        stall_where=row.stall_where or "",
        replica=row.replica,
        term=row.term,
    )


def _skip(row: TaskSkip) -> PastSkip:
    return PastSkip(
        task=row.task,
        reason=row.reason,
        count=row.count,
        first=row.first_scheduled_for,
        last=row.last_scheduled_for,
    )


def _skipped_run(row: TaskRun) -> PastSkip:
    return PastSkip(
        task=row.task,
        reason=SkipReason.PREDICATE.value,
        count=row.count,
        first=row.scheduled_for,
        last=row.scheduled_for if row.count == 1 else row.finished_at or row.scheduled_for,
    )
