"""Runs that go on in other processes, as the engine sees them: its executor hands them off and waits."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from asyncsched.engine.context import Run
from asyncsched.engine.leadership import AlwaysLeader
from asyncsched.engine.ports import LEFT
from asyncsched.engine.runs import Claim, Occurrence, Outcome, RunResult, RunStatus, SkipReason, new_run_id
from asyncsched.engine.supervisor import Supervisor
from asyncsched.policy import Overlap, Retry
from asyncsched.registry import Task
from asyncsched.schedules import Every
from asyncsched.testing import MemoryStore, RecordingListener, VirtualClock
from tests.engine.conftest import make_task

pytestmark = pytest.mark.looptime


class Workers:
    """An executor whose workers are in the hands of the test, which says how a run ends."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.left: list[str] = []
        self.revoked: list[str] = []
        self._ends: list[asyncio.Future[Any]] = []
        self.closed = False

    async def execute(self, task: Task, run: Run) -> Any:
        self.runs.append(run)
        self._ends.append(asyncio.get_running_loop().create_future())
        run.outlives = True
        try:
            return await self._ends[-1]
        except asyncio.CancelledError:
            (self.left if run.is_left else self.revoked).append(run.id)
            raise

    def end(self, how: Any) -> None:
        self._ends[-1].set_result(how)

    async def close(self, patience: float) -> None:
        self.closed = True


class LeavingStore(MemoryStore):
    """A store in which another process has left the run of *orphans*."""

    def __init__(self, *orphans: Claim) -> None:
        super().__init__()
        self._orphans = list(orphans)
        self.no_longer_ours: list[Claim] = []

    async def take_over(self, *, term: int | None = None) -> list[Claim]:
        found, self._orphans = self._orphans, []
        return found

    def leave(self, claim: Claim) -> None:
        super().leave(claim)
        self.no_longer_ours.append(claim)


class Scheduler:
    def __init__(self, task: Task, store: MemoryStore | None = None) -> None:
        self.workers, self.listener, self.clock = Workers(), RecordingListener(), VirtualClock()
        self.store = store or MemoryStore()
        self.supervisor = Supervisor(
            [task],
            clock=self.clock,
            store=self.store,
            executor=self.workers,
            listeners=[self.listener],
            leadership=AlwaysLeader(),
        )

    async def __aenter__(self) -> "Scheduler":
        await self.supervisor.start()
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.supervisor.drain(grace=1.0)


def handed_off(**options: Any) -> Task:
    return make_task(schedule=Every(60), executor="workers", **options)


def left_behind(scheduler_clock: VirtualClock, seconds: float) -> Claim:
    began_at = scheduler_clock.now() - timedelta(seconds=seconds)
    return Claim(
        run_id=new_run_id(),
        occurrence=Occurrence(task="task", scheduled_for=began_at),
        has_row=True,
        term=3,
        began_at=began_at,
    )


async def test_what_the_worker_tells_becomes_the_result() -> None:
    async with Scheduler(handed_off()) as scheduler:
        await asyncio.sleep(61)
        scheduler.workers.end(
            Outcome(status=RunStatus.FAILED, error="ValueError: no", traceback="Traceback …", log="12:00 INFO began")
        )
        await asyncio.sleep(0.1)
    (result,) = scheduler.listener.finished
    assert (result.status, result.error, result.traceback) == (RunStatus.FAILED, "ValueError: no", "Traceback …")
    assert (result.log, result.value, result.failures) == ("12:00 INFO began", None, 1)


async def test_a_success_keeps_what_the_function_returned() -> None:
    async with Scheduler(handed_off()) as scheduler:
        await asyncio.sleep(61)
        scheduler.workers.end(Outcome(status=RunStatus.SUCCEEDED, value="3 rows"))
        await asyncio.sleep(0.1)
    assert [(result.status, result.value) for result in scheduler.listener.finished] == [("succeeded", "3 rows")]


async def test_a_drain_leaves_what_goes_on_elsewhere_and_records_nothing_of_it() -> None:
    async with Scheduler(handed_off()) as scheduler:
        await asyncio.sleep(61)
        (run,) = scheduler.workers.runs
    assert scheduler.workers.left == [run.id]
    assert scheduler.workers.revoked == []
    assert (scheduler.store.results, scheduler.listener.finished) == ([], [])
    assert scheduler.workers.closed


async def test_a_drain_does_not_wait_for_what_goes_on_elsewhere() -> None:
    async with Scheduler(handed_off()) as scheduler:
        await asyncio.sleep(61)
        began = asyncio.get_running_loop().time()
        await scheduler.supervisor.drain(grace=30.0)
    assert asyncio.get_running_loop().time() - began < 1


async def test_over_its_time_a_run_is_revoked_and_not_left() -> None:
    async with Scheduler(handed_off(timeout=10)) as scheduler:
        await asyncio.sleep(75)
        (run,) = scheduler.workers.runs
        assert (scheduler.workers.revoked, scheduler.workers.left) == ([run.id], [])
    assert [result.status for result in scheduler.listener.finished] == [RunStatus.TIMED_OUT]


async def test_a_run_that_another_process_attends_to_ends_here_without_a_result() -> None:
    scheduler = Scheduler(handed_off(), LeavingStore())
    async with scheduler:
        await asyncio.sleep(61)
        scheduler.workers.end(LEFT)
        await asyncio.sleep(0.1)
        assert scheduler.supervisor.running() == ()
        assert [claim.run_id for claim in scheduler.store.no_longer_ours] == [scheduler.workers.runs[0].id]
        await asyncio.sleep(60)
        assert len(scheduler.workers.runs) == 2  # the schedule goes on
    assert scheduler.listener.finished == []


async def test_an_abandoned_run_is_a_failure_that_is_not_retried() -> None:
    async with Scheduler(handed_off(retry=Retry(attempts=3))) as scheduler:
        await asyncio.sleep(61)
        scheduler.workers.end(Outcome(status=RunStatus.ABANDONED, error="its worker ended without a word"))
        await asyncio.sleep(30)
        assert len(scheduler.workers.runs) == 1
    (result,) = scheduler.listener.finished
    assert (result.status, result.error, result.failures) == (
        RunStatus.ABANDONED,
        "its worker ended without a word",
        1,
    )


async def test_with_rerun_abandoned_the_occurrence_runs_again() -> None:
    async with Scheduler(handed_off(rerun_abandoned=True)) as scheduler:
        await asyncio.sleep(61)
        scheduler.workers.end(Outcome(status=RunStatus.ABANDONED, error="its worker ended without a word"))
        await asyncio.sleep(10)
        first, again = scheduler.workers.runs
        assert (again.scheduled_for, again.attempt) == (first.scheduled_for, 2)


class TestWhenARunEndedThatIsHeardOfLater:
    async def ended(self, finished_at: datetime, *, began: float = 600) -> RunResult:
        claim = left_behind(VirtualClock(), seconds=began)
        async with Scheduler(handed_off(), LeavingStore(claim)) as scheduler:
            await asyncio.sleep(5)
            scheduler.workers.end(Outcome(status=RunStatus.SUCCEEDED, finished_at=finished_at))
            await asyncio.sleep(0.1)
        (result,) = scheduler.listener.finished
        return result

    async def test_is_told_by_its_worker(self) -> None:
        result = await self.ended(VirtualClock().now() - timedelta(seconds=540))
        assert result.duration == 60
        assert result.finished_at - result.started_at == timedelta(seconds=60)

    async def test_is_never_before_it_began_and_never_in_the_future_whatever_the_workers_clock_shows(self) -> None:
        early = await self.ended(VirtualClock().now() - timedelta(days=1))
        assert early.finished_at == early.started_at
        late = await self.ended(VirtualClock().now() + timedelta(days=1))
        assert 604 < late.duration < 606


class TestARunThatAnotherProcessHasLeft:
    async def test_is_waited_for_under_its_id_and_its_term_and_counts_from_when_it_began(self) -> None:
        claim = left_behind(VirtualClock(), seconds=600)
        async with Scheduler(handed_off(), LeavingStore(claim)) as scheduler:
            await asyncio.sleep(5)
            (run,) = scheduler.workers.runs
            assert (run.id, run.term, run.began_at) == (claim.run_id, 3, claim.began_at)
            scheduler.workers.end(Outcome(status=RunStatus.SUCCEEDED))
            await asyncio.sleep(0.1)
        (result,) = scheduler.listener.finished
        assert (result.claim, result.started_at) == (claim, claim.began_at)
        assert 604 < result.duration < 606
        assert (result.finished_at - result.started_at).total_seconds() == result.duration

    async def test_keeps_the_next_occurrences_waiting_as_if_it_had_begun_here(self) -> None:
        claim = left_behind(VirtualClock(), seconds=600)
        async with Scheduler(handed_off(overlap=Overlap.SKIP), LeavingStore(claim)) as scheduler:
            await asyncio.sleep(150)
            assert [run.id for run in scheduler.workers.runs] == [claim.run_id]
            scheduler.workers.end(Outcome(status=RunStatus.SUCCEEDED))
            await asyncio.sleep(60)
            assert len(scheduler.workers.runs) == 2
        assert {skipped.reason for skipped in scheduler.store.skips} == {SkipReason.OVERLAP}

    async def test_is_left_once_more_by_a_drain(self) -> None:
        claim = left_behind(VirtualClock(), seconds=600)
        async with Scheduler(handed_off(), LeavingStore(claim)) as scheduler:
            await asyncio.sleep(5)
        assert scheduler.workers.left == [claim.run_id]
        assert scheduler.listener.finished == []

    async def test_goes_on_also_if_its_task_has_been_paused(self) -> None:
        claim = left_behind(VirtualClock(), seconds=600)
        store = LeavingStore(claim)
        store.pause("task")
        async with Scheduler(handed_off(), store) as scheduler:
            await asyncio.sleep(5)
            scheduler.workers.end(Outcome(status=RunStatus.SUCCEEDED))
            await asyncio.sleep(0.1)
        assert [result.status for result in scheduler.listener.finished] == [RunStatus.SUCCEEDED]
