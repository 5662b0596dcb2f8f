"""One task, simulated: its state machine, a clock and a store, and nothing that waits. Pure.

The function is not called: its runs are assumed to take as long as they are said to, and to fail
where a rule says so. Everything else is decided by ``machine``, as in production. What is not in
doubt is not played through: while a task does nothing but run on time, successfully, its stretch of
the schedule is kept as such.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum

from asyncsched.engine import events, machine, planner
from asyncsched.engine.ports import Remembered
from asyncsched.engine.progress import Plan, Progress
from asyncsched.engine.runs import Claim, Occurrence, RunResult, RunStatus, Skipped, SkipReason
from asyncsched.engine.virtual import Steady, VirtualRun
from asyncsched.registry import Task
from asyncsched.schedules import Every
from asyncsched.schedules.base import MICROSECOND

Rule = Callable[[Occurrence], bool]

NONE = timedelta(0)


class Kind(IntEnum):
    """What happens from outside; at the same moment in this order."""

    DOWN = 1
    STEP = 2
    PAUSE = 3
    RESUME = 4
    UP = 5


@dataclass(frozen=True, slots=True)
class Change:
    at: datetime
    kind: Kind
    by: timedelta = NONE


@dataclass(frozen=True, slots=True)
class _GoingOn:
    occurrence: Occurrence
    started_at: datetime
    """By the wall clock."""
    ends: datetime
    status: RunStatus


class SimulatedTask:
    """One task. *now* is true time, from which the wall clock is off by *offset*."""

    def __init__(
        self, task: Task, start: datetime, *, length: timedelta, fails: Rule | None, by_stretches: bool
    ) -> None:
        self.skips: list[tuple[datetime, Skipped]] = []
        self._task = task
        self._now = start
        self._offset = NONE
        self._length = length
        self._fails = fails
        self._progress: Progress | None = None
        self._remembered = Remembered()
        self._claimed: set[tuple[datetime, int]] = set()
        self._going_on: list[_GoingOn] = []
        self._runs: list[VirtualRun] = []
        self._steady: list[Steady] = []
        self._may_leap = by_stretches and fails is None and _never_overruns(task, length)

    @property
    def parts(self) -> list[Sequence[VirtualRun]]:
        """The runs, in sequences that are in order."""
        listed = sorted(self._runs, key=lambda run: (run.started_at, run.scheduled_for, run.attempt, run.finished_at))
        return [*([listed] if listed else []), *self._steady]

    def play(self, changes: Iterable[Change], end: datetime) -> None:
        """Play from the start to *end*; *changes* are in order."""
        self._start()
        for change in changes:
            if change.at < end:
                self._go_on(change.at)
                self._apply(change)
        self._go_on(end)

    @property
    def _wall(self) -> datetime:
        return self._now + self._offset

    def _start(self) -> None:
        past = self._remembered
        self._progress = machine.begin(self._task, past.cursor, self._wall, failures=past.failures, paused=past.paused)
        if past.cursor is None:
            self._remembered = replace(past, cursor=self._progress.cursor)

    def _apply(self, change: Change) -> None:
        if change.kind is Kind.DOWN:
            self._die()
        elif change.kind is Kind.UP:
            self._start()
        elif change.kind is Kind.STEP:
            self._offset += change.by
            self._tell(events.Stepped(seconds=change.by.total_seconds(), now=self._wall))
        else:
            is_pause = change.kind is Kind.PAUSE
            self._remembered = replace(self._remembered, paused=is_pause)
            self._tell(events.Paused() if is_pause else events.Resumed(now=self._wall))

    def _die(self) -> None:
        self._progress = None
        for run in self._going_on:
            self._record(run, RunStatus.ABANDONED)
        self._going_on.clear()

    def _go_on(self, until: datetime) -> None:
        """Let time pass up to and including *until*."""
        while True:
            wake_at = self._look()
            if self._leap(until):
                continue
            moments = [run.ends for run in self._going_on]
            if wake_at is not None:
                moments.append(wake_at)
            if not moments or min(moments) > until:
                break
            self._now = max(self._now, min(moments))
            for run in [run for run in self._going_on if run.ends <= self._now]:
                self._going_on.remove(run)
                self._finish(run)
        self._now = max(self._now, until)

    def _look(self) -> datetime | None:
        """Begin all that is due; return when to look again, None for not before something else happens."""
        while self._progress is not None:
            plan = self._tell(events.Looked(now=self._wall))
            if plan is None or plan.run is None:
                return plan.wake_at - self._offset if plan and plan.wake_at else None
            self._tell(events.Claiming())
            if self._may_claim(plan.run):
                self._tell(events.Granted(now=self._wall))
                self._begin(plan.run)
            else:
                self._tell(events.Refused())
                taken = Skipped(task=self._task.name, scheduled_for=plan.run.scheduled_for, reason=SkipReason.CLAIMED)
                self._skip(taken)
        return None

    def _tell(self, event: events.Event) -> Plan | None:
        """Put *event* through the state machine; a process that is down hears nothing."""
        if self._progress is None:
            return None
        plan = machine.transition(self._task, self._progress, event)
        self._progress = plan.progress
        for skipped in plan.skipped:
            self._skip(skipped)
        return plan

    def _skip(self, skipped: Skipped) -> None:
        self.skips.append((self._now, skipped))
        if skipped.reason.settles:
            self._remembered = replace(self._remembered, cursor=skipped.scheduled_for)

    def _may_claim(self, occurrence: Occurrence) -> bool:
        """As the store does it: each attempt at an occurrence is granted once."""
        if not self._task.is_claimed:
            return True
        key = occurrence.scheduled_for, occurrence.attempt
        if key in self._claimed or any(steady.covers(occurrence.scheduled_for) for steady in self._steady):
            return False
        self._claimed.add(key)
        return True

    def _begin(self, occurrence: Occurrence) -> None:
        timeout = self._task.options.timeout
        if timeout is not None and self._length >= timedelta(seconds=timeout):
            length, status = timedelta(seconds=timeout), RunStatus.TIMED_OUT
        else:
            failed = self._fails is not None and self._fails(occurrence)
            length, status = self._length, RunStatus.FAILED if failed else RunStatus.SUCCEEDED
        run = _GoingOn(occurrence, self._wall, ends=self._now + length, status=status)
        if length:
            self._going_on.append(run)
        else:
            self._finish(run)

    def _finish(self, run: _GoingOn) -> None:
        result = RunResult(
            claim=Claim(run_id="", occurrence=run.occurrence),
            status=run.status,
            started_at=run.started_at,
            finished_at=self._wall,
            duration=(self._wall - run.started_at).total_seconds(),
        )
        plan = self._tell(events.Finished(result=result, now=self._wall))
        self._record(run, run.status)
        if plan is not None:
            self._remembered = replace(self._remembered, failures=plan.progress.failures)

    def _record(self, run: _GoingOn, status: RunStatus) -> None:
        self._remembered = replace(self._remembered, cursor=run.occurrence.scheduled_for)
        self._runs.append(
            VirtualRun(
                task=self._task.name,
                scheduled_for=run.occurrence.scheduled_for,
                started_at=run.started_at,
                finished_at=self._wall,
                status=status,
                trigger=run.occurrence.trigger,
                attempt=run.occurrence.attempt,
            )
        )

    def _leap(self, until: datetime) -> bool:
        """Pass over all occurrences up to *until* but the last, if they are bound to run on time; return if so."""
        progress = self._progress
        if progress is None or not self._may_leap or not _is_steady(progress):
            return False
        schedule, ahead = self._task.schedule, progress.ahead
        if planner.due_at(self._task, schedule.next_after(progress.cursor)) <= self._wall + ahead:
            return False  # there is a backlog, which has a rate of its own
        last = planner.latest_due(self._task, progress.cursor, until + self._offset + ahead)
        before_last = schedule.latest_until(last - MICROSECOND) if last > progress.cursor else None
        if before_last is None or before_last <= progress.cursor or self._has_claimed_beyond(progress.cursor):
            return False
        self._steady.append(
            Steady(self._task, after=progress.cursor, until=before_last, ahead=ahead, length=self._length)
        )
        began = planner.due_at(self._task, before_last)
        self._progress = progress._replace(cursor=before_last, busy_since=began, busy_until=began + self._length)
        self._remembered = replace(self._remembered, cursor=before_last)
        self._now = began + self._length - ahead - self._offset
        return True

    def _has_claimed_beyond(self, cursor: datetime) -> bool:
        """True if the clock or a restart went back over what was claimed: then some claims will be refused."""
        claimed = [scheduled_for for scheduled_for, _ in self._claimed] + [steady.until for steady in self._steady]
        return self._task.is_claimed and any(scheduled_for > cursor for scheduled_for in claimed)


def _is_steady(progress: Progress) -> bool:
    """True if nothing is left of what made the task do anything else than run on time."""
    undisturbed = Progress(
        cursor=progress.cursor,
        busy_since=progress.busy_since,
        busy_until=progress.busy_until,
        has_run=True,
        ahead=progress.ahead,
        first_used=progress.first_used,
        used=progress.used,
    )
    is_used_up = all(stretch.last <= progress.cursor for stretch in progress.used)
    return progress == undisturbed and is_used_up and None not in (progress.first_used, progress.busy_until)


def _never_overruns(task: Task, length: timedelta) -> bool:
    timeout = task.options.timeout
    if timeout is not None and length >= timedelta(seconds=timeout):
        return False
    if not length:
        return True
    schedule = task.schedule
    return isinstance(schedule, Every) and length < timedelta(seconds=schedule.seconds - 2 * schedule.jitter)
