"""How a task stands: what came of it since its state was last written."""

from dataclasses import dataclass, replace
from datetime import datetime

from asyncsched.engine.runs import RunResult, RunStatus, Settled, Trigger
from asyncsched.errors import ScheduleError
from asyncsched.registry import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The news of one task. What is None has not changed; *runs* and *failures* are to be added to the totals."""

    task: Task
    cursor: datetime | None = None
    last: RunResult | None = None
    last_success: RunResult | None = None
    last_skipped: RunResult | None = None
    """The last at which its enabled_when said no."""
    runs: int = 0
    failures: int = 0

    @property
    def name(self) -> str:
        return self.task.name

    def after(self, event: RunResult | Settled) -> "Standing":
        """Return how it stands after *event*."""
        if isinstance(event, Settled):
            return replace(self, cursor=event.until)
        occurrence = event.claim.occurrence
        return replace(
            self,
            cursor=self.cursor if occurrence.trigger is Trigger.MANUAL else occurrence.scheduled_for,
            last=event,
            last_success=event if event.status is RunStatus.SUCCEEDED else self.last_success,
            last_skipped=event if event.status is RunStatus.SKIPPED else self.last_skipped,
            runs=self.runs + (event.status is not RunStatus.SKIPPED),
            failures=self.failures + event.status.is_failure,
        )

    def next_run_at(self, now: datetime) -> datetime | None:
        """Return its next occurrence after *now*; None if it is not enabled, or has none."""
        if not self.task.options.enabled:
            return None
        try:
            return self.task.schedule.next_after(now)
        except ScheduleError:
            return None
