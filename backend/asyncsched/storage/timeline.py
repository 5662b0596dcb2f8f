"""The read side of the timeline: what happened lately, over all tasks, and no more of it than a page shows.

Every question is answered by an index and has a limit: it costs the same after a day and after ten million runs.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Left

from asyncsched.engine.runs import RunStatus
from asyncsched.models import LoopStall, TaskRun, TaskState
from asyncsched.storage import history
from asyncsched.storage.history import PastSkip

MOST_RUNS = 2_000
MOST_SKIPS = 500
MOST_STALLS = 200
MOST_LONG_RUNS = 100  # that began before the time that is looked at
ERROR_START = 120  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run, or *count* that share a row: what a bar tells. Times are aware, in UTC; *duration* is in seconds."""

    run_id: UUID
    task: str
    status: str
    count: int
    started_at: datetime
    finished_at: datetime | None
    duration: float | None
    """The longest of several."""
    replica: str
    error_start: str
    """Its first ERROR_START characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stalled:
    """For *seconds* the event loop of a process stood still."""

    began_at: datetime
    seconds: float
    replica: str
    culprit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What happened since a moment; each kind newest first."""

    runs: tuple[Ran, ...]
    skips: tuple[PastSkip, ...]
    stalls: tuple[Stalled, ...]
    paused: frozenset[str]
    """The tasks that are paused now."""
    runs_since: datetime
    """All runs that began since then are there: later than asked for if there were more than MOST_RUNS."""
    is_complete: bool
    """False if there was more of anything than is there."""


def past(since: datetime) -> Past:
    """Return what happened since then, with six queries at most.

    Of the runs that began before and lasted into that time it finds those that still go on, and
    those that are the last of their task.
    """
    runs = _ran(TaskRun.objects.filter(started_at__gte=since), MOST_RUNS + 1)
    skips = history.kept_skips(since=since, limit=MOST_SKIPS + 1)
    stalls = _stalled(since, MOST_STALLS + 1)
    paused, last = _states(since)
    has_all_runs = len(runs) <= MOST_RUNS
    return Past(
        runs=(*runs[:MOST_RUNS], *_lasting(since, last)),
        skips=tuple(skips[:MOST_SKIPS]),
        stalls=tuple(stalls[:MOST_STALLS]),
        paused=paused,
        runs_since=since if has_all_runs else runs[MOST_RUNS - 1].started_at,
        is_complete=has_all_runs and len(skips) <= MOST_SKIPS and len(stalls) <= MOST_STALLS,
    )


def _states(since: datetime) -> tuple[frozenset[str], dict[str, datetime]]:
    """Return which tasks are paused; and when the last run began, of those where it lasted into the time since then."""
    lasting = Q(last_started_at__lt=since, last_finished_at__gte=since)
    paused, last = set(), {}
    states = TaskState.objects.filter(lasting | Q(paused=True))
    for name, is_paused, began, ended in states.values_list("task", "paused", "last_started_at", "last_finished_at"):
        if is_paused:
            paused.add(name)
        if began and ended and began < since <= ended:
            last[name] = began
    return frozenset(paused), last


def _lasting(since: datetime, last: dict[str, datetime]) -> list[Ran]:
    """Return the runs that began before *since* and go on, or are the *last* of their task, by when those began."""
    going = _ran(TaskRun.objects.filter(status=RunStatus.RUNNING, started_at__lt=since), MOST_LONG_RUNS)
    if not last:
        return going
    ended = _ran(TaskRun.objects.filter(started_at__in=set(last.values()), task__in=last), MOST_LONG_RUNS)
    return going + [run for run in ended if run.started_at == last[run.task]]


def _ran(runs: QuerySet[TaskRun], limit: int) -> list[Ran]:
    columns = ("run_id", "task", "status", "count", "started_at", "finished_at", "duration", "replica")
    rows = runs.order_by("-started_at").values(*columns, error_start=Left("error", ERROR_START))
    return [Ran(**row) for row in rows[:limit]]


def _stalled(since: datetime, limit: int) -> list[Stalled]:
    rows = LoopStall.objects.filter(began_at__gte=since).order_by("-began_at")[:limit]
    return [
        Stalled(began_at=row.began_at, seconds=row.seconds, replica=row.replica, culprit=row.culprit) for row in rows
    ]
