"""The life of one schedule, in virtual time."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from asyncsched import CatchUp, DailyAt, Every, Overlap, Retry, current_run
from asyncsched.engine.ports import Remembered
from asyncsched.engine.runs import RunStatus, SkipReason, Trigger
from asyncsched.errors import StoreUnavailable
from asyncsched.testing import MemoryStore
from tests.engine.conftest import Scheduler, make_task

pytestmark = pytest.mark.looptime

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


async def test_a_task_runs_at_each_occurrence_of_its_grid() -> None:
    async with Scheduler(make_task(schedule=Every(2))) as scheduler:
        await asyncio.sleep(10.5)
    assert [run.claim.occurrence.scheduled_for for run in scheduler.runs()] == [at(s) for s in (2, 4, 6, 8, 10)]
    assert all(run.lateness < 0.001 for run in scheduler.runs())


async def test_lateness_does_not_accumulate() -> None:
    async def slow() -> None:
        await asyncio.sleep(0.7)

    async with Scheduler(make_task(slow, Every(1))) as scheduler:
        await asyncio.sleep(100.1)
    assert [run.started_at for run in scheduler.runs()] == [at(s) for s in range(1, 101)]


async def test_a_task_that_overruns_skips_what_comes_due_meanwhile() -> None:
    async def slow() -> None:
        await asyncio.sleep(5)

    async with Scheduler(make_task(slow, Every(2))) as scheduler:
        await asyncio.sleep(14)
    assert [run.started_at for run in scheduler.runs()] == [at(2), at(8)]
    assert [(skip.reason, skip.count) for skip in scheduler.listener.skipped[:2]] == [(SkipReason.OVERLAP, 2)] * 2


async def test_queue_runs_the_latest_of_them_right_afterwards() -> None:
    async def slow() -> None:
        await asyncio.sleep(5)

    async with Scheduler(make_task(slow, Every(2), overlap=Overlap.QUEUE)) as scheduler:
        await asyncio.sleep(12.5)
    assert [run.started_at for run in scheduler.runs()] == [at(2), at(7), at(12)]
    assert scheduler.runs()[1].claim.occurrence.scheduled_for == at(6)


async def test_allow_runs_side_by_side_up_to_its_concurrency() -> None:
    going, most = 0, 0

    async def slow() -> None:
        nonlocal going, most
        going += 1
        most = max(most, going)
        await asyncio.sleep(9)
        going -= 1

    task = make_task(slow, Every(2), overlap=Overlap.ALLOW, concurrency=3)
    async with Scheduler(task) as scheduler:
        await asyncio.sleep(30)
    assert most == 3
    assert SkipReason.OVERLAP in {skip.reason for skip in scheduler.listener.skipped}


async def test_what_the_clock_jumps_over_becomes_one_run() -> None:
    async with Scheduler(make_task(schedule=Every(2))) as scheduler:
        await asyncio.sleep(3)
        scheduler.clock.set_back(-31)  # suspended for 31 s: the wall clock is ahead when it resumes
        await asyncio.sleep(2.5)
    runs = scheduler.runs()
    assert [run.claim.occurrence.scheduled_for for run in runs] == [at(2), at(34), at(36)]
    assert [(skip.reason, skip.count) for skip in scheduler.listener.skipped] == [(SkipReason.CLOCK_STEP, 15)]


async def test_a_clock_set_back_a_little_runs_no_occurrence_twice() -> None:
    async with Scheduler(make_task(schedule=Every(2))) as scheduler:
        await asyncio.sleep(10.5)
        scheduler.clock.set_back(5)
        await asyncio.sleep(10)
    names = [run.claim.occurrence.scheduled_for for run in scheduler.runs()]
    assert names == sorted(set(names))
    assert names[-1] == at(14)


async def test_a_clock_set_back_by_a_day_does_not_silence_a_task() -> None:
    async with Scheduler(make_task(schedule=Every(2))) as scheduler:
        await asyncio.sleep(10.5)
        scheduler.clock.set_back(86_400)
        before = len(scheduler.runs())
        await asyncio.sleep(10)
    assert len(scheduler.runs()) - before >= 4


async def test_a_failed_run_is_tried_again_with_growing_delays() -> None:
    attempts = []

    async def fail() -> None:
        attempts.append((current_run().attempt, asyncio.get_running_loop().time()))
        raise OSError("no route")

    async with Scheduler(make_task(fail, DailyAt(0, 1), retry=Retry(attempts=3, delay=2))) as scheduler:
        await asyncio.sleep(120)
    assert [attempt for attempt, _ in attempts] == [1, 2, 3]
    times = [time for _, time in attempts]
    assert [later - earlier for earlier, later in pairwise(times)] == pytest.approx([2, 4], abs=0.01)
    assert [run.failures for run in scheduler.runs()] == [1, 2, 3]


async def test_a_retry_gives_way_to_the_next_occurrence() -> None:
    async def fail() -> None:
        raise OSError

    async with Scheduler(make_task(fail, Every(2), retry=Retry(attempts=2, delay=5))) as scheduler:
        await asyncio.sleep(7)
    assert [run.claim.occurrence.attempt for run in scheduler.runs()] == [1, 1, 1]


async def test_a_task_that_keeps_failing_is_suspended_and_probed_again() -> None:
    async def fail() -> None:
        raise OSError

    async with Scheduler(make_task(fail, Every(1), suspend_after=3, suspend_for=10)) as scheduler:
        await asyncio.sleep(15.5)
    assert [run.started_at for run in scheduler.runs()] == [at(1), at(2), at(3), at(14)]
    assert [(skip.reason, skip.count) for skip in scheduler.listener.skipped[:1]] == [(SkipReason.SUSPENDED, 10)]


async def test_success_ends_the_count_of_failures() -> None:
    outcomes = iter([OSError(), OSError(), None, OSError()])

    async def sometimes() -> None:
        if error := next(outcomes, None):
            raise error

    async with Scheduler(make_task(sometimes, Every(1))) as scheduler:
        await asyncio.sleep(4.5)
    assert [run.failures for run in scheduler.runs()] == [1, 2, 0, 1]


async def test_a_paused_task_does_not_run_and_does_not_catch_up_when_resumed() -> None:
    store = MemoryStore()
    async with Scheduler(make_task(schedule=Every(2)), store=store) as scheduler:
        await asyncio.sleep(4.5)
        store.pause("task")
        await asyncio.sleep(10)
        store.resume("task")
        await asyncio.sleep(5)
    names = [run.claim.occurrence.scheduled_for for run in scheduler.runs()]
    assert names == [at(2), at(4), at(16), at(18)]
    assert [(skip.reason, skip.count) for skip in scheduler.listener.skipped] == [(SkipReason.PAUSED, 5)]


async def test_a_pause_takes_effect_within_two_seconds() -> None:
    store = MemoryStore()
    async with Scheduler(make_task(schedule=Every(0.1)), store=store) as scheduler:
        await asyncio.sleep(5)
        store.pause("task")
        await asyncio.sleep(2)
        before = len(scheduler.runs())
        await asyncio.sleep(5)
    assert len(scheduler.runs()) == before


async def test_a_predicate_that_says_no_skips_the_run() -> None:
    ran = []

    async def task() -> None:
        ran.append(1)

    async def no() -> bool:
        return False

    async with Scheduler(make_task(task, enabled_when=no)) as scheduler:
        await asyncio.sleep(2.5)
    assert not ran
    assert [run.status for run in scheduler.runs()] == [RunStatus.SKIPPED]
    assert [skip.reason for skip in scheduler.listener.skipped] == [SkipReason.PREDICATE]


async def test_a_disabled_task_never_runs() -> None:
    async with Scheduler(make_task(enabled=False, run_on_start=True)) as scheduler:
        await asyncio.sleep(10)
    assert scheduler.runs() == []


async def test_run_on_start_runs_at_once_and_then_on_schedule() -> None:
    async with Scheduler(make_task(schedule=Every(30), run_on_start=True)) as scheduler:
        await asyncio.sleep(31)
    assert [run.started_at for run in scheduler.runs()] == [at(0), at(30)]


class TestCatchUp:
    """What a start does about the occurrences that were missed while the process was down."""

    @staticmethod
    async def triggers(policy: CatchUp, *, down_since: timedelta, **options: object) -> list[tuple[Trigger, datetime]]:
        store = MemoryStore({"task": Remembered(cursor=START - down_since)})
        async with Scheduler(make_task(schedule=DailyAt(3), catch_up=policy, **options), store=store) as scheduler:
            await asyncio.sleep(60)
        return [(run.claim.occurrence.trigger, run.claim.occurrence.scheduled_for) for run in scheduler.runs()]

    async def test_once_runs_the_latest(self) -> None:
        runs = await self.triggers(CatchUp.ONCE, down_since=timedelta(days=5))
        assert runs == [(Trigger.CATCH_UP, START - timedelta(hours=21))]

    async def test_all_runs_each_in_order(self) -> None:
        runs = await self.triggers(CatchUp.ALL, down_since=timedelta(days=3), catch_up_window=timedelta(days=7))
        assert runs == [(Trigger.CATCH_UP, START - timedelta(hours=hours)) for hours in (69, 45, 21)]

    async def test_none_runs_none(self) -> None:
        assert await self.triggers(CatchUp.NONE, down_since=timedelta(days=5)) == []

    async def test_what_is_older_than_the_window_does_not_run(self) -> None:
        runs = await self.triggers(CatchUp.ONCE, down_since=timedelta(days=5), catch_up_window=timedelta(hours=2))
        assert runs == []

    async def test_all_leaves_out_what_is_older_than_the_window(self) -> None:
        runs = await self.triggers(CatchUp.ALL, down_since=timedelta(days=9), catch_up_window=timedelta(hours=50))
        assert [moment for _, moment in runs] == [START - timedelta(hours=hours) for hours in (45, 21)]

    async def test_nothing_missed_runs_nothing(self) -> None:
        assert await self.triggers(CatchUp.ONCE, down_since=timedelta(hours=1)) == []

    async def test_a_first_start_has_nothing_to_catch_up(self) -> None:
        async with Scheduler(make_task(schedule=DailyAt(3))) as scheduler:
            await asyncio.sleep(60)
        assert scheduler.runs() == []


async def test_a_store_that_is_away_at_the_start_is_caught_up_on_when_it_answers() -> None:
    class Away(MemoryStore):
        refusals = 30

        async def load(self, tasks: object) -> object:
            if self.refusals:
                self.refusals -= 1
                raise StoreUnavailable("still booting")
            return await super().load(tasks)  # type: ignore[arg-type]

    store = Away({"task": Remembered(cursor=START - timedelta(days=2), failures=3)})
    async with Scheduler(make_task(schedule=DailyAt(3)), store=store) as scheduler:
        await asyncio.sleep(60)
    (run,) = scheduler.runs()
    assert run.claim.occurrence.trigger is Trigger.CATCH_UP
    assert run.claim.occurrence.scheduled_for == START - timedelta(hours=21)
    assert run.started_at == pytest.approx(at(30), abs=timedelta(seconds=2))


async def test_a_store_that_does_not_answer_delays_a_claim_and_loses_nothing() -> None:
    class Away(MemoryStore):
        refusals = 3

        async def claim(self, task: object, occurrence: object, *, term: int | None = None) -> object:
            if self.refusals:
                self.refusals -= 1
                raise StoreUnavailable("no route")
            return await super().claim(task, occurrence)  # type: ignore[arg-type]

    async with Scheduler(make_task(schedule=DailyAt(0, 1)), store=Away()) as scheduler:
        await asyncio.sleep(90)
    (run,) = scheduler.runs()
    assert run.claim.occurrence.scheduled_for == at(60)
    assert run.started_at == at(75)
