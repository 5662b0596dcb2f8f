"""The Store contract without a database: for tests, and for work that needs no memory."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from asyncsched.engine.ports import Remembered, Requests
from asyncsched.engine.runs import (
    Claim,
    Occurrence,
    Refusal,
    RunResult,
    RunStatus,
    Settled,
    Skipped,
    SkipReason,
    Trigger,
    new_run_id,
)
from asyncsched.errors import StoreUnavailable
from asyncsched.policy import MOST_RERUNS, Overlap
from asyncsched.registry import Task

CHECK = 1.0  # seconds after which what was abandoned or asked for, and could not be run yet, is told of again


class MemoryStore:
    """Remembers for as long as it lives. *results* are the finished runs, *skips* what did not run, oldest first."""

    def __init__(self, remembered: Mapping[str, Remembered] | None = None) -> None:
        self.results: list[RunResult] = []
        self.skips: list[Skipped] = []
        self._paused = frozenset(name for name, past in (remembered or {}).items() if past.paused)
        self._asked: dict[str, datetime] = {}
        self._changed = asyncio.Event()
        self._changed.set()
        self._remembered = dict(remembered or {})
        self._claims: dict[tuple[object, ...], str] = {}
        self._running: dict[str, str] = {}
        self._reruns: set[str] = set()
        self._abandoned: dict[tuple[str, datetime], Occurrence] = {}

    async def load(self, tasks: Iterable[Task]) -> Mapping[str, Remembered]:
        self._reruns |= {task.name for task in tasks if task.options.rerun_abandoned}
        known = {name: replace(past, paused=name in self._paused) for name, past in self._remembered.items()}
        return {name: Remembered(paused=True) for name in self._paused} | known

    async def claim(self, task: Task, occurrence: Occurrence, *, term: int | None = None) -> Claim | Refusal:
        run_id = new_run_id()
        if not task.is_claimed:
            return Claim(run_id=run_id, occurrence=occurrence, term=term)
        key = (occurrence.task, occurrence.scheduled_for, occurrence.attempt)
        if key in self._claims:
            return Refusal(occurrence=occurrence, reason=SkipReason.CLAIMED)
        if task.options.overlap is not Overlap.ALLOW and task.name in self._running.values():
            return Refusal(occurrence=occurrence, reason=SkipReason.RUNNING_ELSEWHERE)
        self._claims[key] = run_id
        self._running[run_id] = task.name
        return Claim(run_id=run_id, occurrence=occurrence, has_row=True, term=term)

    async def claim_asked(self, task: Task, occurrence: Occurrence, *, term: int | None = None) -> Claim | Refusal:
        if self._asked.get(task.name) != occurrence.scheduled_for:
            return Refusal(occurrence=occurrence, reason=SkipReason.CLAIMED)
        answer = await self.claim(task, occurrence, term=term)
        if isinstance(answer, Refusal) and answer.reason is SkipReason.RUNNING_ELSEWHERE:
            raise StoreUnavailable("another process runs the task; the run that was asked for waits")
        self._answered(task.name)
        return answer

    def expire(self, task: str, asked_at: datetime) -> None:
        if self._asked.get(task) == asked_at:
            self._answered(task)
            self.skips.append(Skipped(task=task, scheduled_for=asked_at, reason=SkipReason.MISFIRE))

    def release(self, claim: Claim) -> None:
        occurrence = claim.occurrence
        self._claims.pop((occurrence.task, occurrence.scheduled_for, occurrence.attempt), None)
        self._running.pop(claim.run_id, None)

    def record(self, result: RunResult) -> None:
        self._running.pop(result.claim.run_id, None)
        self.results.append(result)
        self._note_abandoned(result)
        self._remembered[result.task] = replace(
            self._remembered.get(result.task, Remembered()),
            cursor=result.claim.occurrence.scheduled_for,
            failures=result.failures,
        )

    def skip(self, skipped: Skipped) -> None:
        self.skips.append(skipped)
        if skipped.reason.settles:
            self.settle(Settled(task=skipped.task, until=skipped.scheduled_for))

    def settle(self, settled: Settled) -> None:
        known = self._remembered.get(settled.task, Remembered())
        self._remembered[settled.task] = replace(known, cursor=settled.until)

    def pause(self, *names: str) -> None:
        """Pause the tasks called *names*."""
        self._paused |= set(names)
        self._changed.set()

    def resume(self, *names: str) -> None:
        """Let the tasks called *names* run again."""
        self._paused -= set(names)
        self._changed.set()

    def ask(self, name: str, now: datetime) -> None:
        """Ask for a run of the task called *name*; asking again before it has begun is asking once."""
        self._asked.setdefault(name, now)
        self._changed.set()

    def _answered(self, name: str) -> None:
        del self._asked[name]
        self._changed.set()

    async def next_requests(self) -> Requests:
        with suppress(TimeoutError):
            async with asyncio.timeout(CHECK if self._abandoned or self._asked else None):
                await self._changed.wait()
        self._changed.clear()
        return Requests(paused=self._paused, asked=dict(self._asked))

    async def abandoned(self) -> Sequence[Occurrence]:
        return list(self._abandoned.values())

    async def take_over(self, *, term: int | None = None) -> Sequence[Claim]:
        return ()  # nobody can have left anything

    def leave(self, claim: Claim) -> None:
        self._running.pop(claim.run_id, None)

    def _note_abandoned(self, result: RunResult) -> None:
        occurrence = result.claim.occurrence
        self._abandoned.pop((occurrence.task, occurrence.scheduled_for), None)
        is_over = result.status is not RunStatus.ABANDONED or occurrence.attempt > MOST_RERUNS
        if occurrence.task in self._reruns and not is_over and occurrence.trigger is not Trigger.MANUAL:
            self._abandoned[occurrence.task, occurrence.scheduled_for] = occurrence
            self._changed.set()

    async def close(self, patience: float) -> None:
        """Nothing is outstanding, ever."""
