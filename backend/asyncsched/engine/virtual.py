"""What took place in virtual time, as values to look at: the runs, and what was left out and why."""

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import overload

from asyncsched.engine.planner import due_at
from asyncsched.engine.runs import RunResult, RunStatus, Skipped, Trigger
from asyncsched.registry import Task
from asyncsched.schedules import Every
from asyncsched.schedules.base import MICROSECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualRun:
    """A run that took place. Times are in UTC."""

    task: str
    scheduled_for: datetime
    started_at: datetime
    finished_at: datetime
    status: RunStatus = RunStatus.SUCCEEDED
    trigger: Trigger = Trigger.SCHEDULE
    attempt: int = 1
    value: str | None = None
    """What the function returned, as text. None in a simulation, which calls no function."""
    error: str | None = None

    @classmethod
    def of(cls, result: RunResult) -> "VirtualRun":
        """Return the run that ended with *result*."""
        occurrence = result.claim.occurrence
        return cls(
            task=occurrence.task,
            scheduled_for=occurrence.scheduled_for,
            started_at=result.started_at,
            finished_at=result.finished_at,
            status=result.status,
            trigger=occurrence.trigger,
            attempt=occurrence.attempt,
            value=result.value,
            error=result.error,
        )


def _order(run: VirtualRun) -> tuple[datetime, str, datetime, int, datetime]:
    return run.started_at, run.task, run.scheduled_for, run.attempt, run.finished_at


def _start(run: VirtualRun) -> datetime:
    return run.started_at


class Steady(Sequence[VirtualRun]):
    """One run on time, and successful, for every occurrence of *task* in ``(after, until]``.

    Each takes *length*. *ahead* is by how much the task's own time is ahead of the wall clock.
    """

    def __init__(self, task: Task, *, after: datetime, until: datetime, ahead: timedelta, length: timedelta) -> None:
        self.until = until
        self._task = task
        self._after = after
        self._ahead = ahead
        self._length = length

    def __len__(self) -> int:
        return len(self._occurrences)

    def __iter__(self) -> Iterator[VirtualRun]:
        return map(self._run, self._each())

    @overload
    def __getitem__(self, index: int) -> VirtualRun: ...
    @overload
    def __getitem__(self, index: slice) -> list[VirtualRun]: ...
    def __getitem__(self, index: int | slice) -> VirtualRun | list[VirtualRun]:
        if isinstance(index, slice):
            return [self._run(occurrence) for occurrence in self._occurrences[index]]
        return self._run(self._occurrences[index])

    def covers(self, occurrence: datetime) -> bool:
        """True if *occurrence* ran here."""
        within = self._after < occurrence <= self.until
        return within and self._task.schedule.next_after(occurrence - MICROSECOND) == occurrence

    @cached_property
    def _occurrences(self) -> Sequence[datetime]:
        if isinstance(self._task.schedule, Every):
            return self._task.schedule.all_between(self._after, self.until)
        return tuple(self._each())

    def _each(self) -> Iterator[datetime]:
        occurrence = self._after
        while (occurrence := self._task.schedule.next_after(occurrence)) <= self.until:
            yield occurrence

    def _run(self, occurrence: datetime) -> VirtualRun:
        started_at = due_at(self._task, occurrence) - self._ahead
        return VirtualRun(
            task=self._task.name,
            scheduled_for=occurrence,
            started_at=started_at,
            finished_at=started_at + self._length,
        )


class Runs(Sequence[VirtualRun]):
    """Runs by the time of their start, and in *skips* what did not run.

    Steady stretches of a schedule are computed when somebody looks at them, so that a month of a
    task that runs every two seconds takes no memory: count and index as you like, but think twice
    before you iterate over all of it.
    """

    def __init__(self, parts: Mapping[str, Sequence[Sequence[VirtualRun]]], skips: Iterable[Skipped] = ()) -> None:
        """*parts* are the runs of each task, in sequences that are in order and not empty."""
        self._parts = dict(parts)
        self.skips = tuple(skips)
        """Occurrences that did not run, with the reason, in the order in which that was decided."""

    @classmethod
    def listed(cls, runs: Iterable[VirtualRun], skips: Iterable[Skipped] = ()) -> "Runs":
        """Return *runs* and *skips* as they are, in order."""
        by_task: dict[str, list[VirtualRun]] = {}
        for run in sorted(runs, key=_order):
            by_task.setdefault(run.task, []).append(run)
        return cls({task: [of_task] for task, of_task in by_task.items()}, skips)

    def of(self, task: str) -> "Runs":
        """Return the runs and skips of one task."""
        return Runs({task: self._parts.get(task, ())}, (skip for skip in self.skips if skip.task == task))

    def __len__(self) -> int:
        return sum(len(part) for part in self._all_parts())

    def __iter__(self) -> Iterator[VirtualRun]:
        return heapq.merge(*self._all_parts(), key=_order)

    @overload
    def __getitem__(self, index: int) -> VirtualRun: ...
    @overload
    def __getitem__(self, index: slice) -> list[VirtualRun]: ...
    def __getitem__(self, index: int | slice) -> VirtualRun | list[VirtualRun]:
        positions = range(len(self))[index]
        return self._at(positions) if isinstance(positions, int) else [self._at(position) for position in positions]

    def __repr__(self) -> str:
        counts = ", ".join(f"{task}: {sum(map(len, parts))}" for task, parts in sorted(self._parts.items()))
        return f"<Runs {counts or 'none'}; {sum(skip.count for skip in self.skips)} skipped>"

    def _all_parts(self) -> Iterator[Sequence[VirtualRun]]:
        for of_task in self._parts.values():
            yield from of_task

    def _at(self, position: int) -> VirtualRun:
        """Find the run by halving the time in which it must have started."""
        earliest = min(part[0].started_at for part in self._all_parts())
        latest = max(part[-1].started_at for part in self._all_parts())
        while earliest < latest:
            middle = earliest + (latest - earliest) // 2
            if sum(bisect_right(part, middle, key=_start) for part in self._all_parts()) > position:
                latest = middle
            else:
                earliest = middle + MICROSECOND
        before = 0
        together: list[VirtualRun] = []
        for part in self._all_parts():
            first = bisect_left(part, earliest, key=_start)
            before += first
            together += part[first : bisect_right(part, earliest, key=_start)]
        return sorted(together, key=_order)[position - before]
