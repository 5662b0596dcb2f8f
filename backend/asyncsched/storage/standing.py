"""How a task stands: what came of it since its state was last written."""

from datetime import datetime

from asyncsched.engine.runs import RunResult, RunStatus, Trigger
from asyncsched.errors import ScheduleError
from asyncsched.registry import Task

MANUAL = Trigger.MANUAL
SUCCEEDED, SKIPPED = RunStatus.SUCCEEDED, RunStatus.SKIPPED


class Standing:
    """The news of one task. What is None has not changed; *runs* and *failures* are to be added to the totals.

    It changes with each run, in place, until it is handed over to be written.
    """

    __slots__ = (
        "cursor",
        "excused_until",
        "failures",
        "failures_in_a_row",
        "last_duration",
        "last_error",
        "last_finished_at",
        "last_scheduled_for",
        "last_started_at",
        "last_status",
        "last_success_at",
        "last_trigger",
        "runs",
        "task",
    )

    def __init__(self, task: Task) -> None:
        self.task = task
        self.cursor: datetime | None = None
        self.last_success_at: datetime | None = None
        self.excused_until: datetime | None = None
        """When its enabled_when last said no."""
        self.runs = 0
        self.failures = 0
        self.last_status: RunStatus | None = None
        """None if it has not run; then the rest of the last run has no meaning."""
        self.last_trigger = Trigger.SCHEDULE
        self.last_scheduled_for: datetime | None = None
        self.last_started_at: datetime | None = None
        self.last_finished_at: datetime | None = None
        self.last_duration = 0.0
        self.last_error: str | None = None
        self.failures_in_a_row = 0

    @property
    def name(self) -> str:
        return self.task.name

    def add(self, result: RunResult) -> None:
        """Take note of a run that ended."""
        occurrence = result.claim.occurrence
        status = result.status
        if occurrence.trigger is not MANUAL:
            self.cursor = occurrence.scheduled_for
        self.last_status = status
        self.last_trigger = occurrence.trigger
        self.last_scheduled_for = occurrence.scheduled_for
        self.last_started_at = result.started_at
        self.last_finished_at = result.finished_at
        self.last_duration = result.duration
        self.last_error = result.error
        self.failures_in_a_row = result.failures
        if status is SKIPPED:
            self.excused_until = result.finished_at
            return
        self.runs += 1
        if status is SUCCEEDED:
            self.last_success_at = result.finished_at
        elif status.is_failure:
            self.failures += 1

    def next_run_at(self, now: datetime) -> datetime | None:
        """Return its next occurrence after *now*; None if it is not enabled, or has none."""
        if not self.task.options.enabled:
            return None
        try:
            return self.task.schedule.next_after(now)
        except ScheduleError:
            return None
