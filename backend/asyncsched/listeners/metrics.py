"""What happens to each task, as numbers that only grow: for a monitoring system to fetch now and then.

They are plain integers and floats, changed on the loop and read by ``web/exposition.py`` in a
thread. A client library's own counters take a lock each, twice the time per run and eight times the
memory, and in its multi-process mode write to files, on the loop. This way only the page imports
the library, and nothing breaks without it.

A task that has not run costs nothing but its name. Zeros are filled in when somebody reads.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate, product

from asyncsched.engine.ports import Listener
from asyncsched.engine.runs import RunResult, RunStatus, Skipped, SkipReason, Stall

OTHER = ""  # stands for whatever is no task or service; neither can have this name

# Upper bounds in seconds.
DURATIONS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
LATENESS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
STALLS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

# How runs end. That the scheduler's own process died is found out by another one, and told to no listener; so
# ABANDONED counts those only that were handed off.
ENDINGS = tuple(status for status in RunStatus if status is not RunStatus.RUNNING)
REASONS = tuple(reason for reason in SkipReason if reason is not SkipReason.UNKNOWN_TASK)


SKIPPED, SUCCEEDED = RunStatus.SKIPPED, RunStatus.SUCCEEDED  # an Enum takes ten times as long to look them up

# Where things are among the numbers of a task.
_STATUS: dict[RunStatus, int] = {status: place for place, status in enumerate(ENDINGS)}
_DURATIONS = len(ENDINGS)
_LATENESS = _DURATIONS + len(DURATIONS) + 1
_SIZE = _LATENESS + len(LATENESS) + 1


class Histogram:
    """How many of the observed seconds lie at or below each of *bounds*, and what they add up to."""

    __slots__ = ("_counts", "bounds", "sum")

    def __init__(self, bounds: tuple[float, ...], counts: Sequence[int] | None = None, total: float = 0.0) -> None:
        self.bounds = bounds
        self.sum = total
        self._counts = array("Q", counts or bytes(8 * (len(bounds) + 1)))

    def observe(self, seconds: float) -> None:
        """Count *seconds*; what is negative, because the wall clock was set back, counts as 0."""
        self._counts[bisect_left(self.bounds, seconds)] += 1
        if seconds > 0:
            self.sum += seconds

    @property
    def cumulative(self) -> list[int]:
        """For each bound how many were at most that long, and last how many there were."""
        return list(accumulate(self._counts))


class _Runs:
    """The runs of one task by how they ended, how long they took and how late they were: half a kilobyte in all."""

    __slots__ = ("_counts", "_duration", "_lateness", "last_success")

    def __init__(self) -> None:
        self._counts = array("Q", bytes(8 * _SIZE))
        self._duration = 0.0
        self._lateness = 0.0
        self.last_success: datetime | None = None

    def add(self, result: RunResult) -> None:
        counts, status = self._counts, result.status
        counts[_STATUS[status]] += 1
        if status is SKIPPED:  # the predicate ran, not the task
            return
        duration, lateness = result.duration, result.lateness
        counts[_DURATIONS + bisect_left(DURATIONS, duration)] += 1
        counts[_LATENESS + bisect_left(LATENESS, lateness)] += 1
        self._duration += duration
        if lateness > 0:  # else the wall clock was set back
            self._lateness += lateness
        if status is SUCCEEDED:
            self.last_success = result.finished_at

    def ended(self, status: RunStatus) -> int:
        return self._counts[_STATUS[status]]

    @property
    def durations(self) -> Histogram:
        return Histogram(DURATIONS, self._counts[_DURATIONS:_LATENESS], self._duration)

    @property
    def lateness(self) -> Histogram:
        return Histogram(LATENESS, self._counts[_LATENESS:], self._lateness)


_NOT_ONE = _Runs()


class MetricsListener(Listener):
    """Counts from zero, for *tasks* and *services* by name. All keys are there from the start for who reads.

    A name that is neither counts as OTHER, so that the numbers stay few whatever happens.
    """

    def __init__(self, tasks: Iterable[str], services: Iterable[str] = ()) -> None:
        self._runs: dict[str, _Runs | None] = dict.fromkeys(tasks)
        self._services = frozenset(services)
        self._skipped: Counter[tuple[str, str]] = Counter()
        self._restarts: Counter[str] = Counter()
        self._stalls: dict[str, Histogram] = {}
        self._succeeded: Mapping[str, datetime] = {}
        self._overdue: frozenset[str] = frozenset()

    def run_finished(self, result: RunResult) -> None:
        name = result.task
        runs = self._runs[name]
        if runs is None:
            runs = self._runs[name] = _Runs()
        runs.add(result)

    def occurrences_skipped(self, skipped: Skipped) -> None:
        name = skipped.task if skipped.task in self._runs else OTHER
        self._skipped[name, skipped.reason] += skipped.count

    def stalled(self, stall: Stall) -> None:
        self._stalls.setdefault(self._known(stall.task), Histogram(STALLS)).observe(stall.seconds)

    def restarted(self, name: str, error: BaseException | None, delay: float) -> None:
        self._restarts[self._known(name)] += 1

    def looked(self, last_success_at: Mapping[str, datetime], overdue: Iterable[str]) -> None:
        """Take note of what the database tells: successes, also of other processes and from before, and who is late."""
        self._succeeded = last_success_at
        self._overdue = frozenset(overdue)

    @property
    def runs(self) -> Counter[tuple[str, str]]:
        """How many runs ended, by task and status."""
        return Counter({(name, status): runs.ended(status) for name, runs in self._each() for status in ENDINGS})

    @property
    def durations(self) -> dict[str, Histogram]:
        """How long the runs of each task took."""
        return {name: runs.durations for name, runs in self._each()}

    @property
    def lateness(self) -> dict[str, Histogram]:
        """How late the runs of each task began."""
        return {name: runs.lateness for name, runs in self._each()}

    @property
    def skipped(self) -> Counter[tuple[str, str]]:
        """How many occurrences did not run, by task and reason."""
        every: Counter[tuple[str, str]] = Counter(dict.fromkeys(product(self._runs, REASONS), 0))
        every[OTHER, SkipReason.UNKNOWN_TASK] = 0
        every.update(self._skipped.copy())
        return every

    @property
    def restarts(self) -> dict[str, int]:
        """How often coroutines were started again, by task or service."""
        return {name: self._restarts[name] for name in self._everything()}

    @property
    def stalls(self) -> dict[str, Histogram]:
        """For how long the event loop stood still, by the task or service that held it up."""
        return {name: self._stalls.get(name) or Histogram(STALLS) for name in self._everything()}

    @property
    def last_success(self) -> dict[str, float]:
        """In seconds since 1970, of each task that ever succeeded, as far as it is known here."""
        here = {name: runs.last_success for name, runs in self._each() if runs.last_success}
        found = dict(self._succeeded)
        for name, moment in here.items():
            found[name] = max(moment, found.get(name, moment))
        return {name: moment.timestamp() for name, moment in found.items()}

    @property
    def overdue(self) -> dict[str, int]:
        """1 for each task that has not succeeded in time, else 0."""
        return {name: int(name in self._overdue) for name in self._runs}

    def _known(self, name: str | None) -> str:
        return name if name is not None and (name in self._runs or name in self._services) else OTHER

    def _each(self) -> list[tuple[str, _Runs]]:
        return [(name, runs or _NOT_ONE) for name, runs in list(self._runs.items())]

    def _everything(self) -> tuple[str, ...]:
        return (*self._runs, *self._services, OTHER)
