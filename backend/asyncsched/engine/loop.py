"""The life of one schedule: plan, wait, claim, run, record, again."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from asyncsched.engine import events, machine
from asyncsched.engine.ports import Clock, Leadership, Listener, Store
from asyncsched.engine.progress import Plan, Progress, State
from asyncsched.engine.runner import Runner
from asyncsched.engine.runs import Claim, Occurrence, Refusal, RunResult, RunStatus, Skipped, SkipReason, Trigger
from asyncsched.errors import StoreUnavailable
from asyncsched.policy import Overlap, Scope
from asyncsched.registry import Task

logger = logging.getLogger("asyncsched.supervisor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all schedules of a scheduler share."""

    clock: Clock
    store: Store
    runner: Runner
    listener: Listener
    leadership: Leadership
    is_draining: Callable[[], bool]


class ScheduleLoop:
    """Drives one task. It outlives a crash of its coroutine, so that a restart goes on where it stood."""

    __slots__ = ("_around", "_beside", "_claiming", "_wake", "progress", "task")

    def __init__(self, task: Task, progress: Progress, around: Surroundings) -> None:
        self.task = task
        self.progress = progress
        self._around = around
        self._wake = asyncio.Event()
        self._claiming: set[asyncio.Task[Any] | None] = set()  # those that wait for the store's answer
        self._beside: set[asyncio.Task[None]] = set()  # runs that overlap="allow" lets go on side by side

    @property
    def state(self) -> State:
        """What the task is doing."""
        return machine.state(self.task, self.progress)

    async def run(self) -> None:
        """Run until the scheduler drains. Runs that go on side by side are awaited before returning."""
        around = self._around
        try:
            while not around.is_draining():
                plan = self._on(events.Looked(now=around.clock.now()))
                if plan.run is None or plan.due_at is None:
                    await around.clock.sleep_until(plan.wake_at, self._wake)
                elif self.task.options.overlap is Overlap.ALLOW:
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
        self._wake.set()

    def tell(self, event: events.Event) -> None:
        """Let the task know of something that happened outside."""
        self._on(event)
        self.wake()

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
        run = asyncio.create_task(self._perform(occurrence, due_at), name=f"asyncsched {self.task.name} run")
        self._beside.add(run)
        self._claiming.add(run)
        run.add_done_callback(partial(self._ended_beside, occurrence))

    def _ended_beside(self, occurrence: Occurrence, run: asyncio.Task[None]) -> None:
        self._beside.discard(run)
        if run in self._claiming:  # cancelled before it had begun
            self._claiming.discard(run)
            self._on(events.Undecided(occurrence=occurrence, now=self._around.clock.now()))
        self.wake()  # a retry may be due before the next occurrence, or a place have become free
        if not run.cancelled() and (error := run.exception()):
            logger.error("%s: a run beside others ended unexpectedly", self.task.name, exc_info=error)

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
        around.listener.run_started(answer, now)
        await around.runner.run(self.task, answer, due_at=due_at, report=self._record)

    async def _claim(self, occurrence: Occurrence) -> Claim | Refusal:
        """Ask the store. Nothing comes between its answer, if it need not wait, and the start; so trust is fresh."""
        term = None
        is_asked_for = machine.is_asked_for(occurrence)
        if self.task.options.scope is Scope.CLUSTER and (is_asked_for or occurrence.trigger is not Trigger.MANUAL):
            standing = self._around.leadership.standing
            if not standing.leads:
                return Refusal(occurrence=occurrence, reason=SkipReason.NOT_LEADER)
            term = standing.term
        this = asyncio.current_task()
        claim = self._around.store.claim_asked if is_asked_for else self._around.store.claim
        self._claiming.add(this)
        try:
            return await claim(self.task, occurrence, term=term)
        finally:
            self._claiming.discard(this)

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
        if result.status is RunStatus.CANCELLED and not around.is_draining():
            result = replace(result, status=RunStatus.FAILED, error="the task cancelled its own coroutine")
        self._on(events.Finished(result=result, now=around.clock.now()))
        result = replace(result, failures=self.progress.failures)
        around.store.record(result)
        around.listener.run_finished(result)
        if result.status is RunStatus.SKIPPED:
            self._leave_out(result.claim.occurrence, SkipReason.PREDICATE)

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
