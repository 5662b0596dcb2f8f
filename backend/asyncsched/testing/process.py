"""One life of the scheduler's process, from its start to its end."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from asyncsched.engine.ports import Listener, Remembered, Requests
from asyncsched.engine.runs import Claim, Occurrence, Refusal, RunResult, RunStatus, Settled, Skipped
from asyncsched.engine.supervisor import Supervisor
from asyncsched.engine.virtual import Runs, VirtualRun
from asyncsched.registry import Task
from asyncsched.storage.memory import MemoryStore
from asyncsched.testing.clock import VirtualClock
from asyncsched.testing.executor import InlineExecutor

PATIENCE = 1.0  # seconds for what does not heed its cancellation


class Journal(Listener):
    """What happened, over all lives of the process."""

    def __init__(self) -> None:
        self.ended: list[RunResult] = []
        self.skipped: list[Skipped] = []
        self.going_on: dict[str, tuple[Claim, datetime]] = {}
        self.closed = False
        """True once the process is dead: what it still does while it is taken apart did not happen."""

    @property
    def length(self) -> tuple[int, int]:
        """How many runs have ended, and how many skips there were."""
        return len(self.ended), len(self.skipped)

    def since(self, ended: int, skipped: int) -> Runs:
        """Return what happened after the first *ended* runs and *skipped* skips."""
        return Runs.listed(map(VirtualRun.of, self.ended[ended:]), self.skipped[skipped:])

    def run_started(self, claim: Claim, started_at: datetime) -> None:
        self.going_on[claim.run_id] = claim, started_at

    def run_finished(self, result: RunResult) -> None:
        if not self.closed:
            self.going_on.pop(result.claim.run_id, None)
            self.ended.append(result)

    def occurrences_skipped(self, skipped: Skipped) -> None:
        if not self.closed:
            self.skipped.append(skipped)


class Process:
    """A scheduler that runs *tasks*, and may die. Create it on the loop it is to live on."""

    def __init__(self, tasks: Iterable[Task], *, now: datetime, store: MemoryStore, journal: Journal) -> None:
        self.clock = VirtualClock(now)
        self._store = store
        self._line = _Line(store)
        self._journal = journal
        self.supervisor = Supervisor(
            tasks, clock=self.clock, store=self._line, executor=InlineExecutor(), listeners=[journal]
        )

    async def kill(self) -> None:
        """End without a word, as when the power fails: what was going on is found abandoned."""
        self._line.dead = self._journal.closed = True
        drain = asyncio.create_task(self.supervisor.drain(grace=PATIENCE))
        await asyncio.sleep(0)
        self.supervisor.cut_off()
        await drain
        self._journal.closed = False
        now, remembered = self.clock.now(), await self._store.load(())
        for claim, started_at in list(self._journal.going_on.values()):
            result = RunResult(
                claim=claim,
                status=RunStatus.ABANDONED,
                started_at=started_at,
                finished_at=now,
                duration=(now - started_at).total_seconds(),
                error="its process died",
                failures=remembered[claim.occurrence.task].failures,
            )
            self._store.record(result)
            self._journal.run_finished(result)


class _Line:
    """The connection of a process to the store: when the process is dead, nothing arrives any more."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.dead = False

    async def load(self, tasks: Iterable[Task]) -> Mapping[str, Remembered]:
        return await self._store.load(tasks)

    async def claim(self, task: Task, occurrence: Occurrence, *, term: int | None = None) -> Claim | Refusal:
        return await self._store.claim(task, occurrence, term=term)

    async def claim_asked(self, task: Task, occurrence: Occurrence, *, term: int | None = None) -> Claim | Refusal:
        return await self._store.claim_asked(task, occurrence, term=term)

    def expire(self, task: str, asked_at: datetime) -> None:
        if not self.dead:
            self._store.expire(task, asked_at)

    def release(self, claim: Claim) -> None:
        if not self.dead:
            self._store.release(claim)

    def record(self, result: RunResult) -> None:
        if not self.dead:
            self._store.record(result)

    def skip(self, skipped: Skipped) -> None:
        if not self.dead:
            self._store.skip(skipped)

    def settle(self, settled: Settled) -> None:
        if not self.dead:
            self._store.settle(settled)

    async def next_requests(self) -> Requests:
        return await self._store.next_requests()

    async def abandoned(self) -> Sequence[Occurrence]:
        return await self._store.abandoned()

    async def take_over(self, *, term: int | None = None) -> Sequence[Claim]:
        return await self._store.take_over(term=term)

    def leave(self, claim: Claim) -> None:
        self._store.leave(claim)

    async def close(self, patience: float) -> None:
        await self._store.close(patience)
