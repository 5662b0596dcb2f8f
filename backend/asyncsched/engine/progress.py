"""What a schedule's coroutine knows of its task, and what it is told to do next. Values, nothing else."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from asyncsched.engine.runs import Occurrence, Skipped
from asyncsched.engine.values import value
from asyncsched.registry import Task


class State(StrEnum):
    """What a task is doing, as people are told."""

    WAITING = "waiting"  # for its next occurrence
    DUE = "due"  # an occurrence has been decided on, and is about to be claimed
    CLAIMING = "claiming"  # the store is being asked
    RUNNING = "running"
    BACKING_OFF = "backing off"  # a failed run, or a claim nobody could decide, is tried again soon
    SUSPENDED = "suspended"  # resting after repeated failures
    STANDBY = "standby"  # another process leads and runs it
    PAUSED = "paused"  # by people, or not enabled
    STOPPED = "stopped"  # the scheduler drains


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The occurrences from *first* to *last*: used, and not to be used again should the clock go back."""

    first: datetime
    last: datetime


class Progress(NamedTuple):
    """How far a task has come. All times are the task's own time: see ``timeline``.

    A named tuple, because every run makes two: ``_replace`` takes a fifth of the time of a dataclass's.
    """

    cursor: datetime
    """Every occurrence up to here is settled: it ran, or was skipped for a reason."""
    first_used: datetime | None = None
    """The first occurrence that was used since the clock last stepped."""
    busy_since: datetime | None = None
    busy_until: datetime | None = None
    """When the last run began and ended; occurrences due in between overlap with it. For one run at a time only."""
    failures: int = 0
    has_run: bool = False

    # From here on all is as it was at first, while a task does nothing but wait for its next occurrence.
    due: Occurrence | None = None
    """What was decided to run and has not been claimed yet."""
    pending: Occurrence | None = None
    """A retry, or a run asked for, to take place at *pending_at*."""
    pending_at: datetime | None = None
    claiming: int = 0
    running: int = 0
    suspended_until: datetime | None = None
    standby: bool = False
    paused: bool = False
    stopped: bool = False
    ahead: timedelta = timedelta(0)
    """By how much the task's own time is ahead of the wall clock."""
    used: tuple[Stretch, ...] = ()
    """What was used before the clock stepped."""
    on_start_until: datetime | None = None
    """Standing by since its start: should it lead by then, it runs on start, after all."""
    jumped: bool = False
    """True if the clock has been set forward since the last look: what was missed, was jumped over."""
    held: bool = False
    """True while the clock is evidently not set: wall-clock schedules wait for it."""

    @property
    def is_undisturbed(self) -> bool:
        """True if nothing is under way, and nothing stands between the task and its next occurrence."""
        return self[_DISTURBANCES:] == _NONE


_DISTURBANCES = Progress._fields.index("due")
_NONE = Progress(cursor=datetime.min)[_DISTURBANCES:]  # noqa: DTZ901 - it is cut off


@value(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do now: run *run*, which was due at *due_at*; or else wait until *wake_at* (None: until woken).

    *due_at* and *wake_at* are wall time.
    """

    progress: Progress
    run: Occurrence | None = None
    due_at: datetime | None = None
    wake_at: datetime | None = None
    skipped: tuple[Skipped, ...] = ()


def state_of(task: Task, progress: Progress) -> State:  # noqa: PLR0911 - a list, from the strongest to the weakest
    """Return what *task* is doing."""
    if progress.running:
        return State.RUNNING
    if progress.claiming:
        return State.CLAIMING
    if progress.stopped:
        return State.STOPPED
    if progress.due:
        return State.DUE
    if progress.paused or not task.options.enabled:
        return State.PAUSED
    if progress.standby:
        return State.STANDBY
    if progress.suspended_until is not None:
        return State.SUSPENDED
    return State.BACKING_OFF if progress.pending else State.WAITING
