"""How this process's own runs went: enough for a status line, bounded in size."""

from collections import deque

from asyncsched.engine.ports import Listener
from asyncsched.engine.runs import RunResult, RunStatus

RECENT = 500


class Statistics(Listener):
    """Knows which tasks fail, and the lateness of the recent runs."""

    def __init__(self) -> None:
        self.failing: set[str] = set()
        self._lateness: deque[float] = deque(maxlen=RECENT)

    def run_finished(self, result: RunResult) -> None:
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
