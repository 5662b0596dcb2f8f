"""The life of one schedule: plan, wait, claim, run, record, again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from asyncsched.engine import events, machine, usual
from asyncsched.engine.culprits import Culprit
from asyncsched.engine.ports import Clock, Leadership, Listener, Store
from asyncsched.engine.progress import Plan, Progress, State, state_of
from asyncsched.engine.runner import Runner
from asyncsched.engine.runs import (
    Claim,
    Occurrence,
    Refusal,
    RunResult,
    RunStatus,
    Skipped,
    SkipReason,
    Trigger,
    new_run_id,
)
from asyncsched.engine.timers import SharedTimer
from asyncsched.errors import StoreUnavailable
from asyncsched.policy import Overlap, Scope
from asyncsched.registry import Task

logger = logging.getLogger("asyncsched.supervisor")

NOBODY: frozenset[Any] = frozenset()  # one for all: each would be 200 bytes
ALLOW, CLUSTER, SCHEDULE = Overlap.ALLOW, Scope.CLUSTER, Trigger.SCHEDULE
CANCELLED, SKIPPED = RunStatus.CANCELLED, RunStatus.SKIPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all schedules of a scheduler share."""

    clock: Clock
    timer: SharedTimer
    store: Store
    runner: Runner
    listener: Listener
    leadership: Leadership
    is_draining: Callable[[], bool]


class ScheduleLoop:
    """Drives one task. It outlives a crash of its coroutine, so that a restart goes on where it stood."""

    __slots__ = ("_around", "_beside", "_claiming", "_is_free", "_is_woken", "_waiter", "progress", "task")

    def __init__(self, task: Task, progress: Progress, around: Surroundings) -> None:
        self.task = task
        self.progress = progress
        self._around = around
        self._is_free = not task.is_claimed  # its occurrences cost no row: whoever leads may run them
        self._waiter: asyncio.Future[None] | None = None
        self._is_woken = False  # while it was not waiting
        self._claiming: frozenset[asyncio.Task[Any] | None] = NOBODY  # those that wait for the store's answer
        self._beside: frozenset[asyncio.Task[Any]] = NOBODY  # runs that overlap="allow" lets go on side by side

    @property
    def state(self) -> State:
        """What the task is doing."""
        return state_of(self.task, self.progress)

    def planning(self) -> Culprit:
        """For whom it works when it does not run the task."""
        return Culprit(name=f"the schedule of {self.task.name}", task=self.task.name)

    async def run(self) -> None:
        """Run until the scheduler drains. Runs that go on side by side are awaited before returning."""
        around = self._around
        try:
            while not around.is_draining():
                now = around.clock.now()
                if this := self._usual(now):
                    await this
                    continue
                plan = self._on(events.Looked(now=now))
                if plan.run is None or plan.due_at is None:
                    await self._waiting(plan.wake_at, now)
                elif self.task.options.overlap is ALLOW:
                    self._on(events.Claiming())
                    self._perform_beside(plan.run, plan.due_at)
                else:
                    self._on(events.Claiming())
                    await self._perform(plan.run, plan.due_at)
                    await asyncio.sleep(0)  # a function that never waits must not keep the loop to itself
            await self._wait_for_beside()
        finally:
            if around.is_draining():
                self._on(events.Stopped(now=around.clock.now()))
            for run in self._beside:
                run.cancel()
            await self._wait_for_beside()

    def wake(self) -> None:
        """Look again: something has happened."""
        if self._waiter is None or self._waiter.done():
            self._is_woken = True
        else:
            self._waiter.set_result(None)

    def _waiting(self, moment: datetime | None, now: datetime) -> asyncio.Future[None]:
        """Return what is done at *moment*, None for never, or as soon as somebody wakes us.

        Time goes by the monotonic clock: who notices that the other one steps wakes us.
        """
        self._waiter = waiter = self._around.timer.waiter()
        if self._is_woken:
            self._is_woken = False
            waiter.set_result(None)
        elif moment is not None:
            self._around.timer.wake(waiter, max(0.0, (moment - now).total_seconds()))
        return waiter

    def tell(self, event: events.Event) -> None:
        """Let the task know of something that happened outside, and look again."""
        self._on(event)
        self.wake()

    def note(self, event: events.Event) -> None:
        """Let the task know of something that happened outside; whoever says so has to wake it."""
        self._on(event)

    def set_paused(self, *, value: bool) -> None:
        """Pause or resume the task; no change is no event."""
        if value != self.progress.paused:
            self.tell(events.Paused() if value else events.Resumed(now=self._around.clock.now()))

    def _on(self, event: events.Event) -> Plan:
        """Put *event* through the state machine, and make known what it left out."""
        plan = machine.transition(self.task, self.progress, event)
        self.progress = plan.progress
        for skipped in plan.skipped:
            self._skip(skipped)
        return plan

    def _perform_beside(self, occurrence: Occurrence, due_at: datetime) -> None:
        run = asyncio.create_task(self._perform(occurrence, due_at))
        self._claiming |= {run}
        self._add_beside(occurrence, run)

    def _add_beside(self, occurrence: Occurrence, run: asyncio.Task[None]) -> None:
        run.set_name(f"asyncsched {self.task.name} run")
        self._beside |= {run}
        run.add_done_callback(partial(self._ended_beside, occurrence))

    def _ended_beside(self, occurrence: Occurrence, run: asyncio.Task[None]) -> None:
        self._beside -= {run}
        if run in self._claiming:  # cancelled before it had begun
            self._claiming -= {run}
            self._on(events.Undecided(occurrence=occurrence, now=self._around.clock.now()))
        self.wake()  # a retry may be due before the next occurrence, or a place have become free
        if not run.cancelled() and (error := run.exception()):
            logger.error("%s: a run beside others ended unexpectedly", self.task.name, exc_info=error)

    def take_over(self, claim: Claim) -> None:
        """Attend from now on to a run that goes on elsewhere, and that another process has left."""
        now = self._around.clock.now()
        self._on(events.TookOver(now=now))
        run = self._run(claim, claim.occurrence.scheduled_for, now)
        self._add_beside(claim.occurrence, asyncio.ensure_future(run))

    async def _perform(self, occurrence: Occurrence, due_at: datetime) -> None:
        around = self._around
        try:
            answer = await self._claim(occurrence)
        except StoreUnavailable:
            self._on(events.Undecided(occurrence=occurrence, now=around.clock.now()))
            return
        except BaseException:
            self._on(events.Undecided(occurrence=occurrence, now=around.clock.now()))
            raise
        if isinstance(answer, Refusal) and machine.is_asked_for(occurrence):
            self._on(events.Refused())  # another process has answered the request, or is to
            return
        if isinstance(answer, Refusal) and answer.reason is SkipReason.NOT_LEADER and self.task.is_claimed:
            # Whoever leads catches up on it; should that be this process again, it is not to be settled.
            self._on(events.Undecided(occurrence=occurrence, now=around.clock.now()))
            return
        if isinstance(answer, Refusal):
            self._on(events.Refused())
            self._leave_out(occurrence, answer.reason)
            return
        now = around.clock.now()
        if not self._is_timely(answer):
            around.store.release(answer)
            self._on(events.Undecided(occurrence=occurrence, now=now))
            return
        self._on(events.Granted(now=now))
        self.wake()  # side by side, the next may be claimed
        await self._run(answer, due_at, now)

    def _run(self, claim: Claim, due_at: datetime, now: datetime) -> Awaitable[None]:
        self._around.listener.run_started(claim, now)
        return self._around.runner.run(self.task, claim, due_at=due_at, report=self._record, on_left=self._leave)

    def _usual(self, now: datetime) -> Awaitable[None] | None:
        """Return what is to be awaited where nobody asked and nothing is under way, None where more is to be done."""
        plan = usual.usual(self.task, self.progress, now) if self._is_free else None
        if plan is None:
            return None
        claim = None
        if plan.run is not None:
            claim = self._claim_at_once(plan.run)
            if claim is None:
                return None
        self.progress = plan.progress
        for skipped in plan.skipped:
            self._skip(skipped)
        if claim is None or plan.due_at is None:
            return self._waiting(plan.wake_at, now)
        return self._run(claim, plan.due_at, now)

    def _claim_at_once(self, occurrence: Occurrence) -> Claim | None:
        """Return the claim of an occurrence that costs no row, None if the store has to decide, or it may not run."""
        if occurrence.trigger is not SCHEDULE:
            return None
        if self.task.options.scope is not CLUSTER:
            return Claim(run_id=new_run_id(), occurrence=occurrence)
        standing = self._around.leadership.standing
        return Claim(run_id=new_run_id(), occurrence=occurrence, term=standing.term) if standing.leads else None

    async def _claim(self, occurrence: Occurrence) -> Claim | Refusal:
        """Ask the store. Nothing comes between its answer, if it need not wait, and the start; so trust is fresh."""
        term = None
        is_asked_for = machine.is_asked_for(occurrence)
        if self.task.options.scope is CLUSTER and (is_asked_for or occurrence.trigger is not Trigger.MANUAL):
            standing = self._around.leadership.standing
            if not standing.leads:
                return Refusal(occurrence=occurrence, reason=SkipReason.NOT_LEADER)
            term = standing.term
        this = asyncio.current_task()
        claim = self._around.store.claim_asked if is_asked_for else self._around.store.claim
        self._claiming |= {this}
        try:
            return await claim(self.task, occurrence, term=term)
        finally:
            self._claiming -= {this}

    def _is_timely(self, claim: Claim) -> bool:
        """False if the term is over for which *claim* was granted: the answer took too long."""
        term = claim.term
        is_manual = claim.occurrence.trigger is Trigger.MANUAL
        return is_manual or term is None or term == self._around.leadership.standing.term

    def give_up_claims(self) -> None:
        """The scheduler drains: what has not begun is not to begin, and the store takes its claim back."""
        for waiting in self._claiming:
            if waiting is not None:
                waiting.cancel()

    def _record(self, result: RunResult) -> None:
        around = self._around
        if result.status is CANCELLED and not around.is_draining():
            result = replace(result, status=RunStatus.FAILED, error="the task cancelled its own coroutine")
        self._on(events.Finished(result=result, now=result.finished_at))
        if self.progress.failures:
            result = replace(result, failures=self.progress.failures)
        around.store.record(result)
        around.listener.run_finished(result)
        if result.status is SKIPPED:
            self._leave_out(result.claim.occurrence, SkipReason.PREDICATE)

    def _leave(self, claim: Claim) -> None:
        self._on(events.Left(now=self._around.clock.now()))
        self._around.store.leave(claim)
        self._around.listener.run_left(claim)

    def _leave_out(self, occurrence: Occurrence, reason: SkipReason) -> None:
        skipped = Skipped(task=self.task.name, scheduled_for=occurrence.scheduled_for, reason=reason)
        if occurrence.trigger is Trigger.MANUAL:
            self._around.listener.occurrences_skipped(skipped)  # it is none of the schedule's and settles nothing
        else:
            self._skip(skipped)

    def _skip(self, skipped: Skipped) -> None:
        self._around.store.skip(skipped)
        self._around.listener.occurrences_skipped(skipped)

    async def _wait_for_beside(self) -> None:
        while self._beside:
            await asyncio.wait(self._beside)
