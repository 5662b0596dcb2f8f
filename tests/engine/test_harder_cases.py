"""Found by looking for trouble: what silenced a task, lost an occurrence, or ran what should rest."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from asyncsched import CatchUp, Cron, DailyAt, Every, Overlap
from asyncsched.engine import events, machine, planner
from asyncsched.engine.executor import LocalExecutor
from asyncsched.engine.leadership import FOLLOWS
from asyncsched.engine.ports import Remembered
from asyncsched.engine.progress import Progress, Stretch
from asyncsched.engine.runs import Skipped, SkipReason, Trigger
from asyncsched.engine.supervisor import Supervisor
from asyncsched.errors import StoreUnavailable
from asyncsched.testing import MemoryStore, RecordingListener, VirtualClock
from tests.engine.conftest import Scheduler, make_task
from tests.engine.driven import START, Driven, asked, at, reasons, scheduled

HOUR = 3600
DAY = 24 * HOUR
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def fail() -> None:
    raise OSError


async def cancel(*names: str) -> None:
    for task in asyncio.all_tasks():
        if task.get_name() in names:
            task.cancel()


@pytest.mark.looptime
class TestNothingSilencesATask:
    async def test_an_exception_that_cannot_say_what_it_is(self) -> None:
        class Mute(Exception):
            def __str__(self) -> str:
                raise ValueError

        async def raise_it() -> None:
            raise Mute

        async with Scheduler(make_task(raise_it, Every(10))) as scheduler:
            await asyncio.sleep(60.5)
        assert [run.error for run in scheduler.runs()] == ["Mute"] * 6

    async def test_being_cancelled_before_it_has_begun(self) -> None:
        async def hostile() -> None:
            await cancel("other", "clock watch", "store watch")

        first = make_task(hostile, DailyAt(3), name="hostile", run_on_start=True)
        async with Scheduler(first, make_task(schedule=Every(10), name="other")) as scheduler:
            await asyncio.sleep(60)
        assert len(scheduler.runs("other")) >= 5

    async def test_runs_side_by_side_that_are_cancelled_before_they_have_begun(self) -> None:
        async def hostile() -> None:
            await cancel("asyncsched beside run")

        beside = make_task(schedule=Every(10), name="beside", overlap=Overlap.ALLOW, concurrency=1)
        async with Scheduler(beside, make_task(hostile, Every(10), name="hostile")) as scheduler:
            await asyncio.sleep(600)
        assert len(scheduler.runs("beside")) > 50

    async def test_a_store_that_fails_between_a_decision_and_its_claim(self) -> None:
        class Failing(MemoryStore):
            failures = 1

            def skip(self, skipped: Skipped) -> None:
                if self.failures:
                    self.failures -= 1
                    raise RuntimeError("can't start new thread")
                super().skip(skipped)

        store = Failing({"task": Remembered(cursor=START - timedelta(days=1))})
        async with Scheduler(make_task(schedule=Every(60)), store=store) as scheduler:
            await asyncio.sleep(600)
        assert len(scheduler.runs()) >= 10


@pytest.mark.looptime
class TestNothingIsLost:
    async def test_a_backlog_waits_for_a_store_that_is_away(self) -> None:
        class Away(MemoryStore):
            away = True

            async def claim(self, *arguments: Any, term: int | None = None) -> Any:
                if self.away:
                    raise StoreUnavailable("no route")
                return await super().claim(*arguments)

        store = Away({"task": Remembered(cursor=START - timedelta(hours=5))})
        async with Scheduler(make_task(schedule=Every(HOUR), catch_up=CatchUp.ALL), store=store) as scheduler:
            await asyncio.sleep(30)
            store.away = False
            await asyncio.sleep(60)
        assert len(scheduler.runs()) == 5
        assert scheduler.listener.skipped == []

    async def test_a_claim_that_fails_in_an_unforeseen_way_is_tried_again(self) -> None:
        class Failing(MemoryStore):
            failures = 1

            async def claim(self, *arguments: Any, term: int | None = None) -> Any:
                if self.failures:
                    self.failures -= 1
                    raise RuntimeError("a bug")
                return await super().claim(*arguments)

        async with Scheduler(make_task(schedule=DailyAt(3)), store=Failing()) as scheduler:
            await asyncio.sleep(4 * HOUR)
        assert len(scheduler.runs()) == 1

    async def test_a_drain_while_the_store_is_asked_leaves_a_reason_where_nobody_catches_up(self) -> None:
        class Silent(MemoryStore):
            async def claim(self, *arguments: Any, term: int | None = None) -> Any:
                await asyncio.Event().wait()

        scheduler = Scheduler(make_task(schedule=Every(60), catch_up=CatchUp.NONE), store=Silent())
        await scheduler.supervisor.start()
        await asyncio.sleep(61)
        await scheduler.supervisor.drain(1)
        assert [skipped.reason for skipped in scheduler.listener.skipped] == [SkipReason.SHUTTING_DOWN]


@pytest.mark.looptime
class TestWhatRestsStaysAtRest:
    async def test_when_the_store_that_knows_of_the_pause_is_late(self) -> None:
        class Late(MemoryStore):
            refusals = 2

            async def load(self, *arguments: Any) -> Any:
                if self.refusals:
                    self.refusals -= 1
                    raise StoreUnavailable("still booting")
                return await super().load(*arguments)

            async def next_requests(self) -> frozenset[str]:
                await asyncio.sleep(1)
                return await super().next_requests()

        store = Late({"task": Remembered(cursor=START - timedelta(hours=12), paused=True)})
        async with Scheduler(make_task(schedule=Every(HOUR)), store=store) as scheduler:
            await asyncio.sleep(10)
        assert scheduler.runs() == []

    async def test_when_the_process_is_restarted_during_a_suspension(self) -> None:
        task = make_task(fail, Every(60), suspend_after=1, suspend_for=HOUR)
        scheduler = Scheduler(task)
        await scheduler.supervisor.start()
        await asyncio.sleep(200)
        await scheduler.supervisor.drain(1)
        assert [(skip.reason, skip.count) for skip in scheduler.listener.skipped] == [(SkipReason.SUSPENDED, 2)]
        listener = await self.next_life(scheduler, task)
        assert listener.finished == []

    async def test_when_it_is_resumed_while_the_process_is_down(self) -> None:
        task = make_task(schedule=Every(60))
        scheduler = Scheduler(task)
        await scheduler.supervisor.start()
        await asyncio.sleep(61)
        scheduler.store.pause("task")
        await asyncio.sleep(600)
        await scheduler.supervisor.drain(1)
        scheduler.store.resume("task")
        listener = await self.next_life(scheduler, task)
        assert listener.finished == []

    @staticmethod
    async def next_life(scheduler: Scheduler, task: Any) -> RecordingListener:
        listener = RecordingListener()
        supervisor = Supervisor(
            [task], clock=scheduler.clock, store=scheduler.store, executor=LocalExecutor(1), listeners=[listener]
        )
        await supervisor.start()
        await asyncio.sleep(5)
        await supervisor.drain(1)
        return listener

    def test_a_follower_does_not_save_its_run_on_start_for_the_day_it_leads(self) -> None:
        driven = Driven(DailyAt(3), run_on_start=True)
        driven.progress = machine.begin(driven.task, None, START, standing=FOLLOWS)
        assert driven.progress.pending is None


class TestWhatIsAskedFor:
    def test_one_that_leads_soon_after_its_start_does_run_on_start(self) -> None:
        driven = Driven(DailyAt(3), run_on_start=True)
        driven.progress = machine.begin(driven.task, None, START, standing=FOLLOWS)
        driven.on(events.Led(now=at(9), cursor=None, failures=0))
        assert driven.look(9).run == scheduled(9)

    def test_a_paused_task_can_be_asked_for_although_its_run_on_start_waits(self) -> None:
        driven = Driven(DailyAt(3), run_on_start=True)
        driven.progress = machine.begin(driven.task, None, START, paused=True)
        driven.on(asked(5))
        assert driven.look(5).run is not None

    def test_a_run_by_hand_does_not_make_up_for_what_overlapped(self) -> None:
        driven = Driven()
        driven.start(10)
        driven.on(asked(12))
        driven.end(35)
        plan = driven.look(35)
        assert reasons(plan) == [(SkipReason.OVERLAP, 2)]
        assert plan.run == scheduled(12, trigger=Trigger.MANUAL)

    def test_asked_for_while_running_it_begins_also_if_jitter_puts_the_next_occurrence_before_its_instant(self) -> None:
        driven = Driven(Every(60, jitter=25))
        early = next(n for n in range(60, 60_000, 60) if planner.due_at(driven.task, at(n)) < at(n - 10))
        due = (planner.due_at(driven.task, at(early)) - START).total_seconds()
        driven.progress = driven.progress._replace(cursor=at(early - 60))
        driven.on(asked(due - 5))
        driven.start(due - 5)
        driven.on(asked(due + 1))
        driven.end(due + 2)
        plans = [driven.on(events.Looked(now=at(due + 2))) for _ in range(3)]
        assert [(skipped.scheduled_for, skipped.reason) for plan in plans for skipped in plan.skipped] == [
            (at(early), SkipReason.OVERLAP)
        ]
        assert plans[1].run == scheduled(due + 1, trigger=Trigger.MANUAL)

    def test_what_becomes_known_late_is_not_both_left_out_and_run(self) -> None:
        driven = Driven(Every(60))
        driven.look(60)
        driven.on(events.Claiming())
        driven.on(events.Undecided(occurrence=scheduled(60), now=at(60)))
        driven.on(events.Recalled(cursor=at(-600), failures=0))
        plan = driven.look(61)
        assert plan.run == scheduled(60)
        assert plan.skipped[-1].scheduled_for == at(0)


def test_a_window_shorter_than_the_interval_never_makes_anything_due_too_early() -> None:
    for second in range(150, 400, 3):
        driven = Driven(Every(100, jitter=45), catch_up=CatchUp.ALL, catch_up_window=timedelta(seconds=90))
        plan = driven.on(events.Looked(now=at(second)))
        assert plan.due_at is None or plan.due_at <= at(second)


class TestClocks:
    def test_a_cron_with_seconds_stays_on_the_clock_when_that_is_set_back(self) -> None:
        driven = Driven(Cron("0 0 3 * * *"), catch_up=CatchUp.NONE)
        for day in range(2):
            driven.start(day * DAY + 3 * HOUR)
            driven.end(day * DAY + 3 * HOUR + 1)
        driven.on(events.Stepped(seconds=-HOUR, now=at(DAY + 2.5 * HOUR)))
        assert driven.look(DAY + 2.5 * HOUR).run is None
        assert driven.look(DAY + 3 * HOUR).wake_at == at(2 * DAY + 3 * HOUR)

    def test_what_ran_before_the_clock_was_set_uses_up_nothing_after_it(self) -> None:
        driven = Driven(Every(300))
        driven.progress = Progress(
            cursor=at(0), held=True, first_used=at(-(10**9)), used=(Stretch(first=at(0), last=at(9)),)
        )
        driven.on(events.Stepped(seconds=7200, now=at(7200)))
        assert (driven.progress.first_used, driven.progress.used) == (None, ())

    def test_a_clock_that_is_set_in_two_steps_keeps_what_an_earlier_process_left(self) -> None:
        driven = Driven(DailyAt(3))
        driven.progress = machine.begin(driven.task, at(-2 * DAY), EPOCH, is_set=False)
        between = datetime(2024, 1, 1, tzinfo=UTC)
        driven.on(events.Stepped(seconds=(between - EPOCH).total_seconds(), now=between, is_set=False))
        driven.on(events.Stepped(seconds=(START - between).total_seconds(), now=START))
        assert driven.progress.cursor == at(-2 * DAY)

    @pytest.mark.looptime
    async def test_a_first_start_in_1970_is_no_reason_to_catch_up_later(self) -> None:
        class Unset(VirtualClock):
            earliest = datetime(2025, 4, 2, tzinfo=UTC)

        clock, store, listener = Unset(EPOCH), MemoryStore(), RecordingListener()
        for _ in range(2):
            supervisor = Supervisor(
                [make_task(schedule=DailyAt(3))],
                clock=clock,
                store=store,
                executor=LocalExecutor(1),
                listeners=[listener],
            )
            await supervisor.start()
            await asyncio.sleep(20)
            clock.set_back((clock.now() - (START + timedelta(hours=12))).total_seconds())
            await asyncio.sleep(20)
            await supervisor.drain(1)
        assert listener.finished == []
        assert listener.skipped == []
