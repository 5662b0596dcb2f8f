"""A listener that hears of everything, and receivers of the signals."""

from datetime import datetime
from typing import Any, assert_type

from asyncsched import Claim, Listener, Occurrence, Run, RunResult, RunStatus, Skipped, SkipReason, Stall, Trigger
from asyncsched.alerts import Alert
from asyncsched.signals import nobody_schedules, task_overdue, task_recovered


class Ledger(Listener):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def run_started(self, claim: Claim, started_at: datetime) -> None:
        occurrence: Occurrence = claim.occurrence
        assert_type(occurrence.task, str)
        assert_type(occurrence.scheduled_for, datetime)
        assert_type(occurrence.trigger, Trigger)
        self.lines.append(f"{claim.run_id} {occurrence.task} {started_at:%H:%M}")

    def run_progressed(self, run: Run) -> None:
        assert_type(run.done, int)
        assert_type(run.total, int | None)

    def run_finished(self, result: RunResult) -> None:
        assert_type(result.status, RunStatus)
        assert_type(result.duration, float)
        assert_type(result.error, str | None)
        if result.status is RunStatus.FAILED:
            self.lines.append(f"{result.claim.occurrence.task}: {result.error}")

    def occurrences_skipped(self, skipped: Skipped) -> None:
        if skipped.reason is SkipReason.OVERLAP:
            self.lines.append(skipped.task)

    def requests_changed(self) -> None:
        self.lines.append("asked")

    def stalled(self, stall: Stall) -> None:
        self.lines.append(f"{stall.culprit}")

    def restarted(self, name: str, error: BaseException | None, delay: float) -> None:
        self.lines.append(f"{name} {error} {delay}")


def call(alerts: list[Alert], **_: Any) -> None:
    """Ring somebody up."""
    for alert in alerts:
        assert_type(alert.last_success_at, datetime | None)


for signal in (task_overdue, task_recovered):
    signal.connect(call)
nobody_schedules.connect(call)
