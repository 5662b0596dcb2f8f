"""What became of a run that people asked for: found by the instant that names it."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from asyncsched.engine.runs import RunStatus, SkipReason, Trigger
from asyncsched.models import TaskRun, TaskSkip, TaskState

ASKED = "asked"  # the status of what has not begun


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """How the run stands. Times are aware, in UTC; lengths in seconds."""

    status: str = ASKED
    """ASKED, or the status of the run; ``skipped`` as well if it did not take place."""
    reason: str | None = None
    """Why it did not take place: a skip reason."""
    run_id: str | None = None
    replica: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration: float | None = None
    result: str | None = None
    error: str | None = None

    @property
    def is_over(self) -> bool:
        """False as long as it has not begun, or goes on."""
        return self.status not in (ASKED, RunStatus.RUNNING)


def fate_of(task: str, asked_at: datetime) -> Fate:
    """Return what became of the run of *task* that was asked for at *asked_at*, as far as anything tells."""
    run = TaskRun.objects.filter(task=task, scheduled_for=asked_at, trigger=Trigger.MANUAL).order_by("attempt").last()
    if run is not None:
        return Fate(
            status=run.status,
            reason=SkipReason.PREDICATE if run.status == RunStatus.SKIPPED else None,
            run_id=run.run_id.hex,
            replica=run.replica,
            started_at=run.started_at,
            finished_at=run.finished_at,
            duration=run.duration,
            result=run.result or None,
            error=run.error or None,
        )
    at = Q(first_scheduled_for=asked_at) | Q(last_scheduled_for=asked_at)
    skip = TaskSkip.objects.filter(at, task=task).first()
    if skip is not None:
        return Fate(status=RunStatus.SKIPPED, reason=skip.reason)
    return _remembered(task, asked_at)


def _remembered(task: str, asked_at: datetime) -> Fate:
    """Return what the task's state tells: of some tasks no run is kept, or successes of a minute share a row."""
    state = TaskState.objects.filter(task=task, last_scheduled_for=asked_at, last_trigger=Trigger.MANUAL).first()
    if state is None:
        return Fate()
    return Fate(
        status=state.last_status,
        started_at=state.last_started_at,
        finished_at=state.last_finished_at,
        duration=state.last_duration,
        error=state.last_error or None,
    )
