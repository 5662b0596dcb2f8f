"""The Store contract without a database: for tests, and for work that needs no memory."""

import asyncio
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from asyncsched.engine.ports import Remembered
from asyncsched.engine.runs import Claim, Occurrence, Refusal, RunResult, RunStatus, Settled, Skipped, SkipReason
from asyncsched.policy import Overlap
from asyncsched.registry import Task


class MemoryStore:
    """Remembers for as long as it lives. *results* are the finished runs, *skips* what did not run, oldest first."""

    def __init__(self, remembered: Mapping[str, Remembered] | None = None) -> None:
        self.results: list[RunResult] = []
        self.skips: list[Skipped] = []
        self._paused = frozenset(name for name, past in (remembered or {}).items() if past.paused)
        self._pauses_changed = asyncio.Event()
        self._pauses_changed.set()
        self._remembered = dict(remembered or {})
        self._claims: dict[tuple[object, ...], str] = {}
        self._running: dict[str, str] = {}

    async def load(self, tasks: Iterable[Task]) -> Mapping[str, Remembered]:
        known = {name: replace(past, paused=name in self._paused) for name, past in self._remembered.items()}
        return {name: Remembered(paused=True) for name in self._paused} | known

    async def claim(self, task: Task, occurrence: Occurrence, *, term: int | None = None) -> Claim | Refusal:
        run_id = uuid.uuid4().hex
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

    def release(self, claim: Claim) -> None:
        occurrence = claim.occurrence
        self._claims.pop((occurrence.task, occurrence.scheduled_for, occurrence.attempt), None)
        self._running.pop(claim.run_id, None)

    def record(self, result: RunResult) -> None:
        self._running.pop(result.claim.run_id, None)
        self.results.append(result)
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
        self._pauses_changed.set()

    def resume(self, *names: str) -> None:
        """Let the tasks called *names* run again."""
        self._paused -= set(names)
        self._pauses_changed.set()

    async def next_pauses(self) -> frozenset[str]:
        await self._pauses_changed.wait()
        self._pauses_changed.clear()
        return self._paused

    async def abandoned(self) -> Sequence[Occurrence]:
        last = {(one.task, one.claim.occurrence.scheduled_for): one for one in self.results}
        return [one.claim.occurrence for one in last.values() if one.status is RunStatus.ABANDONED]

    async def close(self, patience: float) -> None:
        """Nothing is outstanding, ever."""
