"""What the engine needs from outside, as contracts. Production and tests pass in what keeps them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from asyncsched.engine.context import Run
from asyncsched.engine.leadership import Standing
from asyncsched.engine.runs import Claim, Occurrence, Refusal, RunResult, Settled, Skipped, Stall
from asyncsched.registry import Task


class Clock(Protocol):
    """Wall time for what people see, monotonic time for waiting."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC. It may step in either direction."""

    def monotonic(self) -> float:
        """Return seconds that only ever increase, evenly."""

    async def stepped(self) -> float:
        """Wait until the wall clock steps, and return by how many seconds: above 0 if it went forward.

        A step is noticed within a second. It includes the time for which the machine was suspended.
        """

    @property
    def earliest(self) -> datetime:
        """No clock that is set shows an earlier time than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What the store knows of a task from before: the last occurrence it settled, and its failures."""

    cursor: datetime | None = None
    failures: int = 0
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """What people want of the tasks now."""

    paused: frozenset[str] = frozenset()
    asked: Mapping[str, datetime] = field(default_factory=dict)
    """The tasks of which a run is wanted that has not begun, and since when."""


class Store(Protocol):
    """Where runs are claimed and remembered. Nothing here blocks the loop."""

    async def load(self, tasks: Iterable[Task]) -> Mapping[str, Remembered]:
        """Return what is remembered of *tasks*; a task never seen is missing or empty.

        Tasks by other names that earlier processes ran, and that are registered no more, are in it too.
        Raises ConfigurationError if the store is not set up, StoreUnavailable if it does not answer.
        """

    async def claim(self, task: Task, occurrence: Occurrence, *, term: int | None = None) -> Claim | Refusal:
        """Grant the right to run *occurrence* to at most one caller, ever.

        With a *term* only to a caller of the term that goes on; the others get NOT_LEADER. Raises
        StoreUnavailable if it cannot be decided now; asking again later is safe.
        """

    async def claim_asked(self, task: Task, occurrence: Occurrence, *, term: int | None = None) -> Claim | Refusal:
        """Grant the run that was asked for at the instant of *occurrence*, and answer the request with it.

        One request is granted to one caller, whatever the task's scope; the others get CLAIMED. While the
        task is running elsewhere it is not decided: StoreUnavailable. Otherwise like ``claim``.
        """

    def expire(self, task: str, asked_at: datetime) -> None:
        """Drop, soon, and return at once: nobody has begun the run asked for at *asked_at* in time."""

    def release(self, claim: Claim) -> None:
        """Give back, soon, and return at once: *claim* came too late to be used, and its run has not begun."""

    def record(self, result: RunResult) -> None:
        """Take note of *result* and return at once; it is written soon, and by ``close`` at the latest."""

    def skip(self, skipped: Skipped) -> None:
        """Take note, and return at once, of occurrences that did not run and why; settle them if the reason does."""

    def settle(self, settled: Settled) -> None:
        """Take note, and return at once: no later start is to catch up on what is settled."""

    async def next_requests(self) -> Requests:
        """Wait until people may have paused, resumed or asked for something; return what they want now.

        Whatever changes is returned within two seconds, and a run that is asked for again and again
        until it has begun. Raises StoreUnavailable.
        """

    async def abandoned(self) -> Sequence[Occurrence]:
        """Return what dead processes were running, of tasks that want it run again, and nobody has run again yet.

        Raises StoreUnavailable.
        """

    async def take_over(self, *, term: int | None = None) -> Sequence[Claim]:
        """Return the claims of runs that go on elsewhere and that nobody attends to any more: now the caller does.

        Of tasks that were loaded, and with a *term* only to a caller of the term that goes on. Raises
        StoreUnavailable; asking again later is safe.
        """

    def leave(self, claim: Claim) -> None:
        """Take note, and return at once: another process attends to the run of *claim* from now on."""

    async def close(self, patience: float) -> None:
        """Write what is outstanding, for at most *patience* seconds. May be called twice."""


class Leadership(Protocol):
    """Whether this process is the one that runs the tasks of scope ``cluster``."""

    @property
    def standing(self) -> Standing:
        """It leads while it may be trusted, at this very moment, that no other process does."""

    async def join(self) -> None:
        """Stand for election; return as soon as it is known whether this process leads. Raises nothing."""

    async def changed(self, known: Standing) -> Standing:
        """Return the standing as soon as it is another than *known*."""

    async def leave(self, patience: float) -> None:
        """Lead no more, for good, and let another at once. Takes at most *patience* seconds. May be called twice."""


class Executor(Protocol):
    """Where a task's function runs."""

    async def execute(self, task: Task, run: Run) -> Any:
        """Run the function in the caller's context, where *run* is the current one, and return what it returned.

        Returns ``NOT_ENABLED`` if the task's predicate said no. Whatever the function raises comes
        out unchanged. Cancelling ends an async function; a sync one is told by ``run.stop()`` and
        left behind.

        If the function runs in another process, an ``Outcome`` is returned, which says all of that.
        If it goes on there even without this process, ``run.outlives`` is set as long as that is so;
        a run with ``began_at`` is not begun again, but waited for. Cancelling ends it there, unless
        ``run.is_left``. Returns ``LEFT`` if another process has come to attend to it.
        """

    async def close(self, patience: float) -> None:
        """Let go of all runs, within *patience* seconds: none is executed any more. May be called twice."""


class Left:
    """The type of LEFT."""

    def __repr__(self) -> str:
        return "LEFT"


LEFT = Left()


class NotEnabled:
    """The type of NOT_ENABLED."""

    def __repr__(self) -> str:
        return "NOT_ENABLED"


NOT_ENABLED = NotEnabled()


class Listener:
    """Told of everything that happens, on the loop: a listener must return at once and never block.

    Subclasses override what they care for. What one raises is logged and disturbs nobody.
    """

    def run_started(self, claim: Claim, started_at: datetime) -> None:
        """A run begins."""

    def run_progressed(self, run: Run) -> None:
        """A run says how far it is: ``run.done`` of ``run.total``. Told about twice a second, and before the end."""

    def run_finished(self, result: RunResult) -> None:
        """A run has ended, in whatever way."""

    def run_left(self, claim: Claim) -> None:
        """A run goes on elsewhere, and this process hears no more of it: another one attends to it."""

    def occurrences_skipped(self, skipped: Skipped) -> None:
        """Occurrences did not run."""

    def requests_changed(self) -> None:
        """People have paused, resumed or asked for something, or got it. Told in the process that leads."""

    def stalled(self, stall: Stall) -> None:
        """The event loop stood still, and goes on now."""

    def restarted(self, name: str, error: BaseException | None, delay: float) -> None:
        """The coroutine of the task or service *name* ended and starts again in *delay* seconds."""
