"""What can happen to a task. Values, nothing else; ``machine`` says what each of them changes."""

from datetime import datetime

from asyncsched.engine.runs import Occurrence, RunResult
from asyncsched.engine.values import value


@value(frozen=True, slots=True, kw_only=True)
class Looked:
    """It is *now*: what is to be done?"""

    now: datetime


@value(frozen=True, slots=True, kw_only=True)
class Claiming:
    """The store is asked for what is due."""


@value(frozen=True, slots=True, kw_only=True)
class Granted:
    """The claim is won, the run begins *now*."""

    now: datetime


@value(frozen=True, slots=True, kw_only=True)
class Refused:
    """The claim is lost: the occurrence is settled, by somebody else."""


@value(frozen=True, slots=True, kw_only=True)
class Undecided:
    """The store could not say who may run *occurrence*: it is to be asked again soon."""

    occurrence: Occurrence
    now: datetime


@value(frozen=True, slots=True, kw_only=True)
class Finished:
    """A run has ended with *result*."""

    result: RunResult
    now: datetime


@value(frozen=True, slots=True, kw_only=True)
class TookOver:
    """This process attends from *now* on to a run that goes on elsewhere, and that another process has left."""

    now: datetime


@value(frozen=True, slots=True, kw_only=True)
class Left:
    """A run goes on elsewhere, and another process attends to it: here it counts no more."""

    now: datetime


@value(frozen=True, slots=True, kw_only=True)
class Paused:
    """People want it to rest."""


@value(frozen=True, slots=True, kw_only=True)
class Resumed:
    """People want it to go on, also if it was suspended."""

    now: datetime


@value(frozen=True, slots=True, kw_only=True)
class Asked:
    """Since *at*, by which the run is named, somebody wants a run. It is said again and again until it has begun."""

    at: datetime
    now: datetime


@value(frozen=True, slots=True, kw_only=True)
class Followed:
    """Another process leads: it runs the tasks of scope ``cluster`` from now on."""


@value(frozen=True, slots=True, kw_only=True)
class Led:
    """This process leads, and it is *now*; the store remembers *cursor* and *failures* from the one before.

    Occurrences that are not after *since* belong to an earlier leader's term.
    """

    now: datetime
    cursor: datetime | None
    failures: int
    since: datetime | None = None


@value(frozen=True, slots=True, kw_only=True)
class Stepped:
    """The wall clock stepped by *seconds* and shows *now*; *is_set* is False if that cannot be right."""

    seconds: float
    now: datetime
    is_set: bool = True


@value(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What an earlier process left has become known only after the start."""

    cursor: datetime | None
    failures: int


@value(frozen=True, slots=True, kw_only=True)
class Abandoned:
    """The process died that ran *occurrence*, and it is *now*: the task wants it to be run again."""

    occurrence: Occurrence
    now: datetime


@value(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The scheduler drains: nothing new begins."""

    now: datetime


Event = (
    Looked
    | Claiming
    | Granted
    | Refused
    | Undecided
    | Finished
    | TookOver
    | Left
    | Paused
    | Resumed
    | Asked
    | Followed
    | Led
    | Stepped
    | Recalled
    | Abandoned
    | Stopped
)
