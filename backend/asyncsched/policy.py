"""What a task may ask for beside its schedule. Frozen values; the defaults live here and nowhere else."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from asyncsched.errors import RegistrationError
from asyncsched.schedules import Schedule

MOST_RERUNS = 2  # of one occurrence, by rerun_abandoned: a run that kills its process would kill every next one

LOCAL = "local"
"""The executor that runs a task in the scheduler's own process."""

Predicate = Callable[[], bool] | Callable[[], Awaitable[bool]]


class Overlap(StrEnum):
    """What becomes of an occurrence that is due while the task's previous run is still going."""

    SKIP = "skip"  # it does not run (Temporal: Skip; Kubernetes: Forbid)
    QUEUE = "queue"  # the latest one runs right afterwards (Temporal: BufferOne)
    ALLOW = "allow"  # it runs beside the other, up to `concurrency`


class CatchUp(StrEnum):
    """What becomes of occurrences that were missed because the process was down or asleep."""

    ONCE = "once"  # the latest one runs now
    ALL = "all"  # each of them runs, oldest first, at most ten a second
    NONE = "none"  # none does


class Scope(StrEnum):
    """Whether an occurrence runs once in the whole deployment or once in every process."""

    CLUSTER = "cluster"
    REPLICA = "replica"


class History(StrEnum):
    """Which runs get a row of their own. The task's last run and its failures are always known.

    Schedules of a minute and longer are claimed by a row, so there every run has one.
    """

    ALL = "all"
    SUMMARY = "summary"  # what is worth a look; the other successes of a minute share one
    FAILURES = "failures"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often, and after how long, a failed run of one occurrence is tried again.

    The n-th retry waits ``delay * factor ** (n - 1)`` seconds, at most *max_delay*. A retry that
    would come after the task's next occurrence is dropped: that occurrence takes its place.
    """

    attempts: int = 1
    delay: float = 1.0
    factor: float = 2.0
    max_delay: float = 300.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise RegistrationError(f"Retry(attempts={self.attempts}): the first run counts, so at least 1")
        if self.delay <= 0 or self.factor < 1 or self.max_delay < self.delay:
            raise RegistrationError(
                f"{self!r}: needs delay > 0, factor >= 1 and max_delay >= delay, or it would hammer"
            )

    def delay_after(self, attempt: int) -> timedelta:
        """Return how long to wait after the failed *attempt* (1 for the first run)."""
        return timedelta(seconds=backoff(attempt, first=self.delay, factor=self.factor, most=self.max_delay))


def backoff(count: int, *, first: float, factor: float = 2.0, most: float) -> float:
    """Return the seconds to wait after the *count*-th failure in a row: exponential, capped at *most*."""
    steps = math.log(most / first, factor) if factor > 1 else math.inf
    return most if count - 1 >= steps else first * factor ** (count - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of ``register``, checked and filled in. Lengths of time are in seconds."""

    description: str = ""
    enabled: bool = True
    enabled_when: Predicate | None = None
    overlap: Overlap = Overlap.SKIP
    concurrency: int = 4
    catch_up: CatchUp = CatchUp.ONCE
    catch_up_window: timedelta = timedelta(days=1)
    timeout: float | None = None
    retry: Retry = Retry()
    suspend_after: int | None = None
    suspend_for: float = 300.0
    history: History = History.ALL
    scope: Scope = Scope.CLUSTER
    run_on_start: bool = False
    rerun_abandoned: bool = False
    alert_after: float | None = None
    executor: str = LOCAL

    def __post_init__(self) -> None:
        if not isinstance(self.executor, str) or not self.executor.strip():
            raise RegistrationError(f"executor={self.executor!r}: must be the name of an executor")
        for name in ("timeout", "suspend_after", "concurrency", "suspend_for"):
            value = getattr(self, name)
            if value is not None and not (0 < value < math.inf):
                raise RegistrationError(f"{name}={value!r}: must be above 0" + (", or None" * (name[0] in "ts")))
        if self.catch_up_window <= timedelta(0):
            raise RegistrationError(f"catch_up_window={self.catch_up_window!r}: must be above 0")
        if self.alert_after is not None and not self.alert_after > 0:
            raise RegistrationError(f"alert_after={self.alert_after!r}: must be above 0, float('inf') or None")


def default_catch_up(schedule: Schedule) -> CatchUp:
    """A missed daily clean-up still matters; a missed two-second push does not."""
    return CatchUp.NONE if schedule.is_subminute else CatchUp.ONCE


def default_history(schedule: Schedule) -> History:
    """A row per run would be 43,200 rows a day for a task that runs every two seconds."""
    return History.SUMMARY if schedule.is_subminute else History.ALL
