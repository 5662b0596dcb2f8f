"""What this process has seen of its own runs: enough for a status line, bounded in size."""

from collections import deque
from datetime import datetime

from asyncsched.engine.ports import Listener
from asyncsched.engine.runs import Claim, RunResult, RunStatus

RECENT = 500


class Statistics(Listener):
    """Counts what runs and what fails, and keeps the lateness of the recent runs."""

    def __init__(self) -> None:
        self.running: dict[str, Claim] = {}
        self.failing: set[str] = set()
        self._lateness: deque[float] = deque(maxlen=RECENT)

    def run_started(self, claim: Claim, started_at: datetime) -> None:
        self.running[claim.run_id] = claim

    def run_finished(self, result: RunResult) -> None:
        self.running.pop(result.claim.run_id, None)
        self._lateness.append(result.lateness)
        if result.status is RunStatus.SUCCEEDED:
            self.failing.discard(result.task)
        elif result.status.is_failure:
            self.failing.add(result.task)

    def lateness_p99(self) -> float | None:
        """Return the 99th percentile of the recent runs' lateness in seconds, None before the first run."""
        if not self._lateness:
            return None
        ordered = sorted(self._lateness)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
