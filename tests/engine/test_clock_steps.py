"""The wall clock steps, in either direction and by any amount: nothing runs twice, nothing stands still."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from asyncsched import CatchUp, Cron, DailyAt, Every, Retry
from asyncsched.engine import events, machine
from asyncsched.engine.clock import EARLIEST, SystemClock
from asyncsched.engine.ports import Remembered
from asyncsched.engine.runs import SkipReason
from asyncsched.testing import MemoryStore
from tests.engine.conftest import Scheduler, make_task
from tests.support.counted import Counted

pytestmark = pytest.mark.looptime

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = 3600


def names(scheduler: Scheduler, task: str = "task") -> list[datetime]:
    return [run.claim.occurrence.scheduled_for for run in scheduler.runs(task)]


class TestBackwards:
    @pytest.mark.parametrize("back", [11, 60, HOUR, 86_400, 3652 * 86_400])
    async def test_a_subminute_task_keeps_its_rate_and_runs_nothing_twice(self, back: float) -> None:
        async with Scheduler(make_task(schedule=Every(2))) as scheduler:
            await asyncio.sleep(100.5)
            scheduler.clock.set_back(back)
            await asyncio.sleep(100)
        assert len(names(scheduler)) in (99, 100)
        assert len(set(names(scheduler))) == len(names(scheduler))

    async def test_it_comes_to_hours_it_has_seen_and_runs_nothing_twice(self) -> None:
        async with Scheduler(make_task(schedule=Every(2))) as scheduler:
            await asyncio.sleep(100.5)
            scheduler.clock.set_back(HOUR)
            await asyncio.sleep(2 * HOUR)
        assert len(names(scheduler)) == pytest.approx(50 + HOUR, abs=2)
        assert len(set(names(scheduler))) == len(names(scheduler))

    async def test_its_names_are_those_of_the_wall_clock_again_when_that_is_put_right(self) -> None:
        async with Scheduler(make_task(schedule=Every(2))) as scheduler:
            await asyncio.sleep(2 * HOUR)
            scheduler.clock.set_back(HOUR)
            await asyncio.sleep(60)
            assert scheduler.runs()[-1].claim.occurrence.scheduled_for > scheduler.clock.now() + timedelta(minutes=50)
            scheduler.clock.set_back(-HOUR)
            await asyncio.sleep(60)
            assert scheduler.clock.now() - names(scheduler)[-1] < timedelta(seconds=3)
        assert len(set(names(scheduler))) == len(names(scheduler))

    async def test_lateness_is_that_of_the_run_not_that_of_the_clock(self) -> None:
        async with Scheduler(make_task(schedule=Every(2))) as scheduler:
            await asyncio.sleep(2 * HOUR)
            scheduler.clock.set_back(HOUR)
            await asyncio.sleep(60)
        assert all(abs(run.lateness) < 0.01 for run in scheduler.runs())

    async def test_a_claimed_task_waits_for_the_occurrences_it_has_not_run(self) -> None:
        async with Scheduler(make_task(schedule=Every(300))) as scheduler:
            await asyncio.sleep(2 * HOUR + 1)
            scheduler.clock.set_back(HOUR)
            await asyncio.sleep(2 * HOUR)
        assert names(scheduler) == [START + timedelta(seconds=300 * n) for n in range(1, 37)]
        assert scheduler.listener.skipped == []

    async def test_a_daily_task_does_not_run_twice_on_the_day_it_is_set_back(self) -> None:
        async with Scheduler(make_task(schedule=DailyAt(3))) as scheduler:
            await asyncio.sleep(3 * HOUR + 60)
            scheduler.clock.set_back(HOUR)
            await asyncio.sleep(86_400 + HOUR)
        assert names(scheduler) == [START + timedelta(hours=3), START + timedelta(hours=27)]

    async def test_what_was_never_run_does_run_when_the_clock_had_been_wrong_from_the_start(self) -> None:
        async with Scheduler(make_task(schedule=Every(300))) as scheduler:
            await asyncio.sleep(30)
            scheduler.clock.set_back(2 * HOUR)
            await asyncio.sleep(HOUR)
        assert len(names(scheduler)) == 12

    async def test_a_retry_waits_for_as_long_as_it_would_have(self) -> None:
        outcomes = iter([OSError("no route")])

        async def fail_once() -> None:
            if error := next(outcomes, None):
                raise error

        task = make_task(fail_once, DailyAt(0, 1), retry=Retry(attempts=2, delay=30))
        async with Scheduler(task) as scheduler:
            await asyncio.sleep(65)
            scheduler.clock.set_back(HOUR)
            await asyncio.sleep(26)
        assert [run.claim.occurrence.attempt for run in scheduler.runs()] == [1, 2]


class TestForwards:
    async def test_what_was_jumped_over_leaves_that_reason(self) -> None:
        async with Scheduler(make_task(schedule=Every(300))) as scheduler:
            await asyncio.sleep(1)
            scheduler.clock.set_back(-HOUR)
            await asyncio.sleep(1)
        assert [run.claim.occurrence.scheduled_for for run in scheduler.runs()] == [START + timedelta(hours=1)]
        assert [(skip.reason, skip.count) for skip in scheduler.listener.skipped] == [(SkipReason.CLOCK_STEP, 11)]

    async def test_a_task_without_catch_up_runs_at_its_next_occurrence(self) -> None:
        async with Scheduler(make_task(schedule=DailyAt(3), catch_up=CatchUp.NONE)) as scheduler:
            await asyncio.sleep(1)
            scheduler.clock.set_back(-10 * HOUR)
            await asyncio.sleep(1)
        assert scheduler.runs() == []
        assert [(skip.reason, skip.count) for skip in scheduler.listener.skipped[:1]] == [(SkipReason.CLOCK_STEP, 1)]

    @pytest.mark.parametrize("schedule", [DailyAt(3), Cron("*/5 * * * *", tz="Europe/Berlin")])
    async def test_a_jump_of_centuries_and_back_asks_the_schedule_a_few_hundred_times(self, schedule: Any) -> None:
        counted = Counted(schedule)
        task = make_task(schedule=counted)
        progress = machine.begin(task, None, START)
        centuries = 174 * 365 * 86_400
        for seconds, now in ((centuries, START + timedelta(seconds=centuries)), (-centuries, START)):
            progress = machine.transition(task, progress, events.Stepped(seconds=seconds, now=now)).progress
            for _ in range(3):
                progress = machine.transition(task, progress, events.Looked(now=now)).progress
        assert counted.calls < 300


class TestAClockThatIsNotSet:
    """A box without a battery starts in the past, and is told the time by the network a while later."""

    async def start(self, schedule: Any, *, cursor: datetime | None = None) -> Scheduler:
        store = MemoryStore({"task": Remembered(cursor=cursor)} if cursor else None)
        scheduler = Scheduler(make_task(schedule=schedule), store=store)
        scheduler.clock.earliest = START - timedelta(days=1)
        scheduler.clock.set_back(20 * 365 * 86_400)
        await scheduler.clock.stepped()
        return scheduler

    @pytest.mark.parametrize("schedule", [DailyAt(3), Cron("0 * * * *")])
    async def test_wall_clock_schedules_are_held_back(self, schedule: Any, caplog: pytest.LogCaptureFixture) -> None:
        async with await self.start(schedule) as scheduler:
            await asyncio.sleep(2 * 86_400)
        assert scheduler.runs() == []
        assert [record.levelno for record in caplog.records if "cannot be right" in record.message] == [logging.ERROR]

    async def test_intervals_run(self) -> None:
        async with await self.start(Every(2)) as scheduler:
            await asyncio.sleep(60)
        assert len(scheduler.runs()) == pytest.approx(30, abs=1)

    async def test_when_it_is_set_they_go_on_from_there(self) -> None:
        async with await self.start(DailyAt(3)) as scheduler:
            await asyncio.sleep(60)
            scheduler.clock.set_back(-20 * 365 * 86_400)
            await asyncio.sleep(60)
            assert scheduler.runs() == []
            await asyncio.sleep(3 * HOUR)
        assert names(scheduler) == [START + timedelta(hours=3)]
        assert scheduler.listener.skipped == []

    async def test_when_it_is_set_they_catch_up_on_what_an_earlier_process_left(self) -> None:
        async with await self.start(DailyAt(3), cursor=START - timedelta(hours=30)) as scheduler:
            await asyncio.sleep(60)
            assert scheduler.runs() == []
            scheduler.clock.set_back(-20 * 365 * 86_400)
            await asyncio.sleep(60)
        assert names(scheduler) == [START - timedelta(hours=21)]

    def test_no_clock_that_runs_this_code_can_be_earlier_than_django(self) -> None:
        assert SystemClock().now() > SystemClock().earliest == EARLIEST
