"""What a task can learn about the run it is part of."""

from collections.abc import Callable
from contextvars import Context, ContextVar
from dataclasses import dataclass
from datetime import datetime

from asyncsched.engine.run_lines import RunLog
from asyncsched.engine.runs import Claim, Trigger
from asyncsched.errors import NoCurrentRun

ProgressListener = Callable[["Run"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the scheduler of this process fares. All zero where none runs, as in a manual run."""

    leader: bool = False
    """True if this process runs the tasks of scope ``cluster``."""
    tasks: int = 0
    """The project's tasks; the scheduler's own are not counted."""
    running: int = 0
    failing: int = 0
    """Tasks whose last run failed."""
    lateness_p99: float | None = None
    """Seconds from due to started, 99th percentile of the recent runs; None before the first."""


class Run:
    """The run in progress, as ``current_run()`` hands it to the task. Safe to use from its thread."""

    __slots__ = (
        "_claim",
        "_health",
        "_is_over_here",
        "_on_progress",
        "_stop",
        "done_of_total",
        "log",
        "outlives",
        "waiting_for",
    )

    def __init__(
        self,
        claim: Claim,
        *,
        health: Callable[[], Health] = Health,
        on_progress: ProgressListener | None = None,
    ) -> None:
        self._claim = claim
        self._health = health
        self._on_progress = on_progress
        self._stop = False
        self.log = RunLog()
        self.done_of_total: tuple[int, int | None] = (0, None)  # one value: it is read from other threads
        self.waiting_for: str | None = None
        self.outlives = False
        """True once it goes on elsewhere, whatever becomes of this process: its executor says so."""
        self._is_over_here = False

    @property
    def id(self) -> str:
        """The run's id, as history shows it."""
        return self._claim.run_id

    @property
    def task(self) -> str:
        """The task's name."""
        return self._claim.occurrence.task

    @property
    def scheduled_for(self) -> datetime:
        """The instant this run is for, in UTC; with catch-up it may lie far back."""
        return self._claim.occurrence.scheduled_for

    @property
    def trigger(self) -> Trigger:
        """Why the run takes place: ``schedule``, ``catch_up`` or ``manual``."""
        return self._claim.occurrence.trigger

    @property
    def began_at(self) -> datetime | None:
        """When it began, in UTC, if an earlier process has handed it off; None if it begins now."""
        return self._claim.began_at

    @property
    def is_left(self) -> bool:
        """True once this process attends to it no more, though it goes on: not to be ended, but left to another."""
        return self.outlives and self._is_over_here

    @property
    def attempt(self) -> int:
        """1 for the first run of an occurrence, 2 for its first retry."""
        return self._claim.occurrence.attempt

    @property
    def term(self) -> int | None:
        """Fencing token: it rises whenever another process becomes the one that runs the tasks of scope ``cluster``.

        Keep the highest one beside what the task writes, and refuse to write with a lower one: then a
        process that was frozen in the middle of a run cannot undo what its successor has done. None
        for tasks of scope ``replica``, and where nobody is elected.
        """
        return self._claim.term

    @property
    def stopping(self) -> bool:
        """True once the run should end early: the server drains, or the run is past its timeout.

        Sync tasks cannot be interrupted; a long one should look here between its batches.
        """
        return self._stop

    @property
    def health(self) -> Health:
        """How the scheduler that runs this task fares, at this moment."""
        return self._health()

    @property
    def done(self) -> int:
        """How many units are finished, as far as the run has said."""
        return self.done_of_total[0]

    @property
    def total(self) -> int | None:
        """How many units there are, None if the run has not said."""
        return self.done_of_total[1]

    def progress(self, done: int, total: int | None = None) -> None:
        """Report that *done* of *total* units are finished. It costs about a microsecond; call it as often as you like.

        Raises TypeError or ValueError if they are no numbers.
        """
        self.done_of_total = int(done), None if total is None else int(total)
        if self._on_progress is not None:
            self._on_progress(self)

    def stop(self) -> None:
        """Ask the task to end early: the engine calls this, tasks look at ``stopping``."""
        self._stop = True

    def leave(self) -> None:
        """The same, because this process ends: if the run goes on elsewhere, it is to be left to another."""
        self._stop = self._is_over_here = True


_current: ContextVar[Run | None] = ContextVar("asyncsched_current_run", default=None)


def current_run() -> Run:
    """Return the run the calling task is part of; raise NoCurrentRun when called outside of one."""
    run = _current.get()
    if run is None:
        raise NoCurrentRun(
            "current_run() works only while the scheduler, or 'manage.py async_tasks run', runs the task"
        )
    return run


def run_here() -> Run | None:
    """Return the run that the caller is part of, None if there is none."""
    return _current.get()


def run_in(context: Context) -> Run | None:
    """Return the run that code in *context* is part of, None if there is none."""
    return context.get(_current)


class Entered:
    """``with Entered(run):`` makes *run* the current one inside the block, and in what is started there."""

    __slots__ = ("_before", "_run")

    def __init__(self, run: Run) -> None:
        self._run = run

    def __enter__(self) -> None:
        self._before = _current.get()
        _current.set(self._run)

    def __exit__(self, *raised: object) -> None:
        # Not by a token, which another context refuses: the interpreter may close a run in its own.
        _current.set(self._before)
