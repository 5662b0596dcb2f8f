"""What happens to each task, as numbers that only grow: for a monitoring system to fetch now and then.

They are plain integers and floats, changed on the loop and read by ``web/exposition.py`` in a
thread. A client library's own counters take a lock each, twice the time per run and eight times the
memory, and in its multi-process mode write to files, on the loop. This way only the page imports
the library, and nothing breaks without it.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import accumulate

from asyncsched.engine.ports import Listener
from asyncsched.engine.runs import RunResult, RunStatus, Skipped, SkipReason, Stall

OTHER = ""  # stands for whatever is no task or service; neither can have this name

# Upper bounds in seconds.
DURATIONS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
LATENESS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
STALLS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

# How runs end here. That one was abandoned is found out later, maybe elsewhere, and by no listener.
ENDINGS = tuple(status for status in RunStatus if status not in {RunStatus.RUNNING, RunStatus.ABANDONED})
REASONS = tuple(reason for reason in SkipReason if reason is not SkipReason.UNKNOWN_TASK)


class Histogram:
    """How many of the observed seconds lie at or below each of *bounds*, and what they add up to."""

    __slots__ = ("_counts", "bounds", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.sum = 0.0
        self._counts = [0] * (len(bounds) + 1)

    def observe(self, seconds: float) -> None:
        """Count *seconds*; what is negative, because the wall clock was set back, counts as 0."""
        self._counts[bisect_left(self.bounds, seconds)] += 1
        if seconds > 0:
            self.sum += seconds

    @property
    def cumulative(self) -> list[int]:
        """For each bound how many were at most that long, and last how many there were."""
        return list(accumulate(self._counts))


class MetricsListener(Listener):
    """Counts from zero, for *tasks* and *services* by name. All keys exist from the start.

    A name that is neither counts as OTHER, so that the numbers stay few whatever happens.
    """

    def __init__(self, tasks: Iterable[str], services: Iterable[str] = ()) -> None:
        names = tuple(tasks)
        everything = (*names, *services, OTHER)
        self.runs: Counter[tuple[str, str]] = Counter({(name, status): 0 for name in names for status in ENDINGS})
        self.durations = {name: Histogram(DURATIONS) for name in names}
        self.lateness = {name: Histogram(LATENESS) for name in names}
        self.skipped: Counter[tuple[str, str]] = Counter({(name, reason): 0 for name in names for reason in REASONS})
        self.skipped[OTHER, SkipReason.UNKNOWN_TASK] = 0
        self.restarts = dict.fromkeys(everything, 0)
        self.stalls = {name: Histogram(STALLS) for name in everything}
        self.last_success: dict[str, float] = {}
        """In seconds since 1970, of each task that ever succeeded, as far as it is known here."""
        self.overdue = dict.fromkeys(names, 0)

    def run_finished(self, result: RunResult) -> None:
        self.runs[result.task, result.status] += 1
        if result.status is not RunStatus.SKIPPED:  # then the predicate ran, not the task
            self.durations[result.task].observe(result.duration)
            self.lateness[result.task].observe(result.lateness)
        if result.status is RunStatus.SUCCEEDED:
            self.last_success[result.task] = result.finished_at.timestamp()

    def occurrences_skipped(self, skipped: Skipped) -> None:
        name = skipped.task if skipped.task in self.durations else OTHER
        self.skipped[name, skipped.reason] += skipped.count

    def stalled(self, stall: Stall) -> None:
        self.stalls[stall.task if stall.task in self.stalls else OTHER].observe(stall.seconds)

    def restarted(self, name: str, error: BaseException | None, delay: float) -> None:
        self.restarts[name if name in self.restarts else OTHER] += 1

    def looked(self, last_success_at: Mapping[str, datetime], overdue: Iterable[str]) -> None:
        """Take note of what the database tells: successes, also of other processes and from before, and who is late."""
        for name, moment in last_success_at.items():
            self.last_success[name] = max(moment.timestamp(), self.last_success.get(name, 0.0))
        late = set(overdue)
        self.overdue = {name: int(name in late) for name in self.overdue}
