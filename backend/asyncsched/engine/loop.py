"""The life of one schedule: plan, wait, claim, run, record, again."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from asyncsched.engine import planner
from asyncsched.engine.ports import Clock, Listener, Remembered, Store
from asyncsched.engine.runner import Runner
from asyncsched.engine.runs import Occurrence, Refusal, RunResult, RunStatus, Skipped, SkipReason
from asyncsched.errors import StoreUnavailable
from asyncsched.policy import Overlap
from asyncsched.registry import Task

logger = logging.getLogger("asyncsched.supervisor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all schedules of a scheduler share."""

    clock: Clock
    store: Store
    runner: Runner
    listener: Listener
    is_draining: Callable[[], bool]


class ScheduleLoop:
    """Drives one task. It outlives a crash of its coroutine, so that a restart goes on where it stood."""

    __slots__ = ("_around", "_beside", "_wake", "progress", "task")

    def __init__(self, task: Task, progress: planner.Progress, around: Surroundings) -> None:
        self.task = task
        self.progress = progress
        self._around = around
        self._wake = asyncio.Event()
        self._beside: set[asyncio.Task[None]] = set()  # runs that overlap="allow" lets go on side by side

    async def run(self) -> None:
        """Run until the scheduler drains. Runs that go on side by side are awaited before returning."""
        around = self._around
        try:
            while not around.is_draining():
                plan = planner.plan(self.task, self.progress, around.clock.now())
                self._adopt(plan)
                if plan.run is None or plan.due_at is None:
                    await around.clock.sleep_until(plan.wake_at, self._wake)
                elif self.task.options.overlap is Overlap.ALLOW:
                    self._perform_beside(plan.run, plan.due_at)
                else:
                    await self._perform(plan.run, plan.due_at)
                    await asyncio.sleep(0)  # a function that never waits must not keep the loop to itself
            await self._wait_for_beside()
        finally:
            for run in self._beside:
                run.cancel()
            await self._wait_for_beside()

    def wake(self) -> None:
        """Look again: the clock stepped, the task was paused or resumed, or the scheduler drains."""
        self._wake.set()

    def recall(self, past: Remembered) -> None:
        """Learn late, because the store was away at the start, how far the task had come."""
        self.progress = planner.recalled(self.task, self.progress, past.cursor, failures=past.failures)
        self.wake()

    def set_paused(self, *, value: bool) -> None:
        """Pause or resume the task."""
        if value != self.progress.paused:
            self._adopt(planner.paused(self.task, self.progress, self._around.clock.now(), value=value))
            self.wake()

    def _adopt(self, plan: planner.Plan) -> None:
        self.progress = plan.progress
        for skipped in plan.skipped:
            self._around.store.skip(skipped)
            self._around.listener.occurrences_skipped(skipped)

    def _perform_beside(self, occurrence: Occurrence, due_at: datetime) -> None:
        self.progress = planner.started(self.progress, occurrence)
        run = asyncio.create_task(self._claim_and_run(occurrence, due_at), name=f"asyncsched {self.task.name} run")
        self._beside.add(run)
        run.add_done_callback(self._ended_beside)

    def _ended_beside(self, run: asyncio.Task[None]) -> None:
        self._beside.discard(run)
        self.wake()  # a retry may be due before the next occurrence, or a place have become free
        if not run.cancelled() and (error := run.exception()):
            logger.error("%s: a run beside others ended unexpectedly", self.task.name, exc_info=error)

    async def _perform(self, occurrence: Occurrence, due_at: datetime) -> None:
        self.progress = planner.started(self.progress, occurrence)
        await self._claim_and_run(occurrence, due_at)

    async def _claim_and_run(self, occurrence: Occurrence, due_at: datetime) -> None:
        around = self._around
        try:
            answer = await around.store.claim(self.task, occurrence)
        except StoreUnavailable:
            self._adopt(planner.undecided(self.progress, occurrence, around.clock.now()))
            return
        except BaseException:
            self.progress = planner.refused(self.progress)
            raise
        if isinstance(answer, Refusal):
            self.progress = planner.refused(self.progress)
            self._skip(occurrence, answer.reason)
            return
        around.listener.run_started(answer, around.clock.now())
        await around.runner.run(self.task, answer, due_at=due_at, report=self._record)

    def _record(self, result: RunResult) -> None:
        if result.status is RunStatus.CANCELLED and not self._around.is_draining():
            result = replace(result, status=RunStatus.FAILED, error="the task cancelled its own coroutine")
        self.progress = planner.finished(self.task, self.progress, result)
        result = replace(result, failures=self.progress.failures)
        self._around.store.record(result)
        self._around.listener.run_finished(result)
        if result.status is RunStatus.SKIPPED:
            self._skip(result.claim.occurrence, SkipReason.PREDICATE)

    def _skip(self, occurrence: Occurrence, reason: SkipReason) -> None:
        skipped = Skipped(task=self.task.name, scheduled_for=occurrence.scheduled_for, reason=reason)
        self._around.store.skip(skipped)
        self._around.listener.occurrences_skipped(skipped)

    async def _wait_for_beside(self) -> None:
        while self._beside:
            await asyncio.wait(self._beside)
