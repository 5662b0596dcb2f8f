"""Occurrences that did not run, on their way to rows.

Of a task below a minute, what was skipped for one reason within one minute becomes one row, which
is written over as it grows; of all others each event is a row of its own.

A row is written as a total and not as an increment. So writing it again is harmless, which happens
when the database took it and could not say so, and when several processes tell of the same
occurrence of a task that has one run for all of them.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from django.db import connection

from asyncsched.engine.runs import Skipped, SkipReason
from asyncsched.models import TaskSkip
from asyncsched.policy import History, Scope
from asyncsched.registry import Task
from asyncsched.storage import many
from asyncsched.storage.folding import fold

Key = tuple[str, str, datetime, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """*count* occurrences of *task*, from *first* to *last*, did not run for *reason*."""

    task: str
    reason: SkipReason
    first: datetime
    last: datetime
    count: int
    claimant: str
    is_sent: bool = False
    """A row of it has been written, or is about to be: what it grows by belongs to that row."""

    @property
    def key(self) -> Key:
        """What a row is unique for: within a minute *first* stays, while *last* and *count* grow."""
        return self.task, self.reason, self.first, self.claimant

    def plus(self, other: "Tally") -> "Tally":
        """Return the sum of both. Task and reason are the same."""
        return replace(
            self,
            first=min(self.first, other.first),
            last=max(self.last, other.last),
            count=self.count + other.count,
            is_sent=self.is_sent or other.is_sent,
        )


class Tallies:
    """What is still to be written, oldest first. It belongs to the database thread."""

    def __init__(self, *, replica: str) -> None:
        self._replica = replica
        self._growing: dict[tuple[str, SkipReason], Tally] = {}  # the latest minute of each task below a minute
        self._unwritten: dict[Key, Tally] = {}

    def __len__(self) -> int:
        return len(self._unwritten)

    @property
    def count(self) -> int:
        """How many occurrences the rows to be written tell of, as totals."""
        return sum(tally.count for tally in self._unwritten.values())

    def add(self, task: Task | None, skipped: Skipped) -> None:
        """Count *skipped* in. *task* is None if no task of that name is registered here."""
        tally = Tally(
            task=skipped.task,
            reason=skipped.reason,
            first=skipped.first or skipped.scheduled_for,
            last=skipped.scheduled_for,
            count=skipped.count,
            claimant=self._replica if task is not None and _is_told_by_each_process(task) else "",
        )
        if task is not None and task.schedule.is_subminute:
            growing = self._growing.get((tally.task, tally.reason))
            if growing is not None and _minute(growing.last) == _minute(tally.last):
                # A row of it that is there keeps its first: the two are found by it.
                tally = replace(growing.plus(tally), first=growing.first)
            elif (same := self._unwritten.get(tally.key)) is not None:
                tally = same.plus(tally)
            self._growing[tally.task, tally.reason] = tally
        self._unwritten[tally.key] = tally

    def take(self, most: int) -> list[Tally]:
        """Hand over up to *most* of what is to be written, the oldest first."""
        taken = list(islice(self._unwritten.values(), most))
        for tally in taken:
            del self._unwritten[tally.key]
            if self._growing.get((tally.task, tally.reason)) is tally:
                self._growing[tally.task, tally.reason] = replace(tally, is_sent=True)
        return taken

    def fold(self, key: Callable[[Tally], Hashable], excess: int) -> None:
        """Sum up what has the same *key*, the oldest first, until *excess* fewer rows are to be written."""
        before = list(self._unwritten.values())
        known = set(map(id, before))
        self._unwritten = {}
        for tally in fold(before, key, excess):
            # A sum is this process's own account: were it everybody's, another could write over it.
            own = tally if id(tally) in known else replace(tally, claimant=self._replica)
            self._unwritten[own.key] = own
        alive = set(map(id, self._unwritten.values()))
        self._growing = {key: t for key, t in self._growing.items() if t.is_sent or id(t) in alive}


def is_kept(task: Task | None, skipped: Skipped) -> bool:
    """True if *skipped* is worth a row."""
    if skipped.reason in (SkipReason.CLAIMED, SkipReason.NOT_LEADER):
        # Another process took the occurrence, so it did run: nobody misses it, and the row of that
        # run is there. With five processes this would be four rows of noise beside each run.
        # Listeners are told, so it is counted in metrics.
        return False
    if skipped.reason is SkipReason.PREDICATE and task is not None:
        # Where the run has a row, that says "skipped" already.
        return not task.is_claimed and task.options.history is not History.ALL
    return True


def write(tallies: Iterable[Tally]) -> None:
    """Insert a row for each of *tallies*, or bring the row that is there up to it."""
    moment = connection.ops.adapt_datetimefield_value
    rows = [
        {
            "task": tally.task,
            "reason": tally.reason.value,
            "first_scheduled_for": moment(tally.first),
            "last_scheduled_for": moment(tally.last),
            "count": tally.count,
            "claimant": tally.claimant,
        }
        for tally in sorted(tallies, key=lambda tally: tally.key)  # in one order, or processes could deadlock
    ]
    unique = ["task", "reason", "first_scheduled_for", "claimant"]
    many.merge(TaskSkip, unique, rows, {grows: many.new(grows) for grows in ("last_scheduled_for", "count")})


def _is_told_by_each_process(task: Task) -> bool:
    return not task.is_claimed or task.options.scope is Scope.REPLICA


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
