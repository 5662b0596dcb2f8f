"""One run with all that is known of it, and where to go from there."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncsched.models import HandOff, TaskRun
from asyncsched.storage.history import LONG_TEXTS, PastRun, past_run

MOST_ATTEMPTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetail:
    """A run, its texts, and its neighbours. Times are aware, in UTC."""

    run: PastRun
    traceback: str
    log: str
    """The latest lines it wrote to the log."""
    heartbeat_at: datetime | None
    """While it runs: when its process last said so."""
    handed_to: str
    """The executor that the run was handed off to, and the worker that has it; empty if it was not, or long ago."""
    attempts: tuple[PastRun, ...]
    """The runs of the same occurrence, itself among them: its retries, and with scope ``replica`` other processes'."""
    previous: UUID | None
    """The task's run that began before it."""
    following: UUID | None
    """The task's run that began after it."""


def detail(run_id: UUID) -> RunDetail | None:
    """Return all of the run *run_id*, with five queries; None if history does not have it, or not any more."""
    row = TaskRun.objects.filter(run_id=run_id).first()
    if row is None:
        return None
    attempts = TaskRun.objects.filter(task=row.task, scheduled_for=row.scheduled_for).defer(*LONG_TEXTS)
    of_task = TaskRun.objects.filter(task=row.task).values_list("run_id", flat=True)
    return RunDetail(
        run=past_run(row),
        traceback=row.traceback,
        log=row.log or "",
        heartbeat_at=row.heartbeat_at,
        handed_to=_handed_to(run_id),
        attempts=tuple(past_run(one) for one in attempts.order_by("attempt", "claimant")[:MOST_ATTEMPTS]),
        previous=of_task.filter(started_at__lt=row.started_at).order_by("-started_at").first(),
        following=of_task.filter(started_at__gt=row.started_at).order_by("started_at").first(),
    )


def _handed_to(run_id: UUID) -> str:
    row = HandOff.objects.filter(run_id=run_id).only("executor", "worker", "state").first()
    if row is None:
        return ""
    waits = "no worker has it yet" if row.state == HandOff.State.OFFERED else "no worker had it"
    return f"{row.executor}: {row.worker or waits}"
