"""The values that travel: an occurrence becomes a claim, a claim becomes a result."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from random import Random
from typing import Any, Self

from asyncsched.engine.values import value


class RunStatus(StrEnum):
    """How a run stands, or how it ended."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"  # cut off by the drain
    SKIPPED = "skipped"  # enabled_when said no
    ABANDONED = "abandoned"  # the process in which it went on has died

    @property
    def is_failure(self) -> bool:
        return self in _FAILURES


_FAILURES = frozenset({RunStatus.FAILED, RunStatus.TIMED_OUT, RunStatus.ABANDONED})


class Trigger(StrEnum):
    """Why a run took place."""

    SCHEDULE = "schedule"
    CATCH_UP = "catch_up"
    MANUAL = "manual"


class SkipReason(StrEnum):
    """Why an occurrence did not run."""

    OVERLAP = "overlap"  # the previous run was still going
    COALESCED = "coalesced"  # several were due at once; the latest ran for all
    MISFIRE = "misfire"  # too old for the catch-up policy
    PAUSED = "paused"
    PREDICATE = "predicate"  # enabled_when said no
    SUSPENDED = "suspended"  # resting after repeated failures
    CLAIMED = "claimed"  # another process has it
    RUNNING_ELSEWHERE = "running_elsewhere"  # the task is running in another process
    NOT_LEADER = "not_leader"  # it is another process's turn to run it
    CLOCK_STEP = "clock_step"  # the wall clock jumped over it
    SHUTTING_DOWN = "shutting_down"  # it came due while the process stopped
    UNKNOWN_TASK = "unknown_task"  # an earlier process ran it, this one has no task of that name

    @property
    def settles(self) -> bool:
        """False if the next process is to decide about the occurrence, by the task's catch-up policy."""
        return self not in (SkipReason.SHUTTING_DOWN, SkipReason.UNKNOWN_TASK, SkipReason.NOT_LEADER)


@value(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One instant at which a task should run."""

    task: str
    """Its name."""
    scheduled_for: datetime
    """The instant, in UTC."""
    trigger: Trigger = Trigger.SCHEDULE
    """Why it runs: ``schedule``, ``catch_up`` or ``manual``."""
    attempt: int = 1
    """2 for the first retry."""


_random = Random()  # noqa: S311 - a run's id is no secret
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)


def new_run_id() -> str:
    """Return the hex of a UUID: 128 random bits, without the system call of ``uuid4``."""
    return f"{_random.getrandbits(128):032x}"


@value(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to run an occurrence, as the store granted it."""

    run_id: str
    """The hex of a UUID."""
    occurrence: Occurrence
    """What is run."""
    has_row: bool = False
    """True if the store already holds a ``running`` row under *run_id*."""
    term: int | None = None
    """Fencing token: the term of the leader that runs it; None where nobody is elected, and for scope ``replica``."""
    began_at: datetime | None = None
    """When it began, in UTC, if an earlier process has handed it off and this one attends to it from now on."""


@value(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended that went on in another process, as that one, or whoever waited for it, tells."""

    status: RunStatus
    value: str | None = None
    """What the function returned, as text, trimmed."""
    error: str | None = None
    """``Type: message``, in one line."""
    traceback: str | None = None
    log: str | None = None
    finished_at: datetime | None = None
    """When it ended, in UTC, by the clock of that process; None if it could not say so itself."""

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the outcome that ``to_dict`` has put into *told*, maybe that of another version."""
        texts = {name: told.get(name) for name in ("value", "error", "traceback", "log")}
        finished_at = datetime.fromisoformat(told["finished_at"]) if told.get("finished_at") else None
        return cls(status=RunStatus(told["status"]), finished_at=finished_at, **texts)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        finished_at = self.finished_at.isoformat() if self.finished_at else None
        return {**asdict(self), "status": self.status.value, "finished_at": finished_at}


@value(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The store's no. Losing is normal, so it is a value and not an exception."""

    occurrence: Occurrence
    reason: SkipReason


@value(frozen=True, slots=True, kw_only=True)
class Skipped:
    """*count* occurrences of *task*, the last of them at *scheduled_for*, did not run for *reason*."""

    task: str
    scheduled_for: datetime
    reason: SkipReason
    count: int = 1
    first: datetime | None = None
    """The first of several, if it is known."""
    lateness: float = 0.0
    """Seconds from when the first of them was due until it was found that they had been missed."""


@value(frozen=True, slots=True, kw_only=True)
class Settled:
    """Every occurrence of *task* up to *until* is done with, whether it ran or not."""

    task: str
    until: datetime


@value(frozen=True, slots=True, kw_only=True)
class Stall:
    """For *seconds* the event loop could do nothing else, because *culprit* did not let go of it."""

    culprit: str
    """For people: ``task sync_entity_states``, ``request GET /slow``, ``asyncio task 'Task-7'``."""
    where: str
    """The line it was seen at: ``path/to/tasks.py:12 (function)``."""
    stack: str
    began_at: datetime
    seconds: float
    task: str | None = None
    """The scheduled task or service, None if it was something else."""
    run_id: str | None = None


@value(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How a run ended: all that history, metrics and pages need, so that nobody has to ask back."""

    claim: Claim
    """What was run, and under which id."""
    status: RunStatus
    """How it ended."""
    started_at: datetime
    """Wall time, in UTC."""
    finished_at: datetime
    """Wall time, in UTC."""
    duration: float
    """Seconds on the monotonic clock."""
    lateness: float = 0.0
    """Seconds from the instant the run was due, jitter included, to its start."""
    error: str | None = None
    """``Type: message`` of what was raised, or what went wrong, in one line. None if nothing did."""
    traceback: str | None = None
    """The end of the traceback of what was raised."""
    value: str | None = None
    """What the function returned, as text, trimmed."""
    failures: int = 0
    """Failures of the task in a row, this run included."""
    stall: Stall | None = None
    """The longest time for which this run blocked the event loop, None if it never did for long."""
    log: str | None = None
    """The latest lines it wrote to the log, bounded: see ``run_log``. None if there are none, or none are kept."""

    @property
    def task(self) -> str:
        return self.claim.occurrence.task
