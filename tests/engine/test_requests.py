"""What people want of tasks, as the running scheduler hears of it: runs that are asked for, pauses."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from asyncsched import DailyAt, Every, Retry, Scope
from asyncsched.engine.executor import LocalExecutor
from asyncsched.engine.recollection import REQUEST_LASTS
from asyncsched.engine.runs import RunStatus, Skipped, SkipReason, Trigger
from asyncsched.engine.supervisor import Supervisor
from asyncsched.errors import StoreUnavailable
from asyncsched.testing import MemoryStore, RecordingListener, VirtualClock
from tests.engine.conftest import Scheduler, make_task
from tests.engine.test_leadership import Switch

pytestmark = pytest.mark.looptime

START = datetime(2026, 1, 1, tzinfo=UTC)
RARE = DailyAt(hour=3)


class Process:
    """One of several schedulers that share a store."""

    def __init__(self, store: MemoryStore, *, leads: bool = True, scope: Scope = Scope.CLUSTER, **options: Any) -> None:
        self.leadership = Switch(leads=leads)
        self.listener = RecordingListener()
        self.supervisor = Supervisor(
            [make_task(schedule=RARE, scope=scope, **options)],
            clock=VirtualClock(START),
            store=store,
            executor=LocalExecutor(1),
            listeners=[self.listener],
            leadership=self.leadership,
        )

    async def __aenter__(self) -> "Process":
        await self.supervisor.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.supervisor.drain(1)


class TestARunThatIsAskedFor:
    async def test_begins_and_bears_the_name_of_the_instant_at_which_it_was_asked_for(self) -> None:
        async with Scheduler(make_task(schedule=RARE)) as scheduler:
            asked_at = scheduler.clock.now()
            scheduler.store.ask("task", asked_at)
            await asyncio.sleep(2)
        (run,) = scheduler.runs()
        assert (run.claim.occurrence.trigger, run.claim.occurrence.scheduled_for) == (Trigger.MANUAL, asked_at)
        assert run.lateness < 0.1

    async def test_begins_once_however_long_its_function_takes(self) -> None:
        async def long() -> None:
            await asyncio.sleep(30)

        async with Scheduler(make_task(long, RARE)) as scheduler:
            scheduler.store.ask("task", scheduler.clock.now())
            await asyncio.sleep(100)
        assert len(scheduler.runs()) == 1
        assert scheduler.listener.skipped == []

    async def test_waits_for_the_run_that_is_going_on_and_for_nothing_else(self) -> None:
        async def long() -> None:
            await asyncio.sleep(REQUEST_LASTS.total_seconds() + 50)

        async with Scheduler(make_task(long, Every(7200))) as scheduler:
            await asyncio.sleep(7210 - START.timestamp() % 7200)
            scheduler.store.ask("task", scheduler.clock.now())
            await asyncio.sleep(2 * REQUEST_LASTS.total_seconds() + 200)
        assert [run.claim.occurrence.trigger for run in scheduler.runs()] == [Trigger.SCHEDULE, Trigger.MANUAL]

    @pytest.mark.parametrize("rest", ["paused", "disabled"])
    async def test_begins_although_the_task_rests(self, rest: str) -> None:
        async with Scheduler(make_task(schedule=Every(2), enabled=rest != "disabled")) as scheduler:
            scheduler.store.pause(*(["task"] if rest == "paused" else []))
            await asyncio.sleep(10)
            scheduler.store.ask("task", scheduler.clock.now())
            await asyncio.sleep(10)
        assert [run.claim.occurrence.trigger for run in scheduler.runs()] == [Trigger.MANUAL]

    async def test_is_asked_for_again_after_a_while_if_the_store_could_not_decide(self) -> None:
        class Shaky(MemoryStore):
            answers = 0

            async def claim_asked(self, *arguments: Any, term: int | None = None) -> Any:
                self.answers += 1
                if self.answers < 3:
                    raise StoreUnavailable("another process runs it")
                return await super().claim_asked(*arguments, term=term)

        async with Scheduler(make_task(schedule=RARE), store=Shaky()) as scheduler:
            scheduler.store.ask("task", scheduler.clock.now())
            await asyncio.sleep(20)
        assert len(scheduler.runs()) == 1
        assert scheduler.store.answers == 3

    async def test_that_was_asked_for_while_no_process_lived_begins_with_the_next(self) -> None:
        store = MemoryStore()
        store.ask("task", START - timedelta(minutes=4))
        async with Process(store) as process:
            await asyncio.sleep(2)
        assert [run.claim.occurrence.trigger for run in process.listener.finished] == [Trigger.MANUAL]

    async def test_that_was_asked_for_too_long_ago_is_dropped_and_that_is_said(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        store, asked_at = MemoryStore(), START - timedelta(minutes=6)
        store.ask("task", asked_at)
        dropped = Skipped(task="task", scheduled_for=asked_at, reason=SkipReason.MISFIRE)
        async with Process(store) as process:
            await asyncio.sleep(5)
        assert process.listener.finished == []
        assert process.listener.skipped == store.skips == [dropped]
        (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert (record.action, record.task) == ("request_expired", "task")

    async def test_of_a_task_that_nobody_knows_is_dropped_only_then(self) -> None:
        store = MemoryStore()
        store.ask("unknown", START)
        async with Process(store) as process:
            await asyncio.sleep(REQUEST_LASTS.total_seconds() - 10)
            assert store.skips == []
            await asyncio.sleep(20)
        assert [skipped.task for skipped in process.listener.skipped] == ["unknown"]

    async def test_is_no_longer_one_when_it_fails_and_its_retry_is_claimed_as_any_other(self) -> None:
        async def fail() -> None:
            raise OSError("no")

        async with Scheduler(make_task(fail, RARE, retry=Retry(attempts=2, delay=5))) as scheduler:
            scheduler.store.ask("task", scheduler.clock.now())
            await asyncio.sleep(20)
        runs = [(run.claim.occurrence.attempt, run.status) for run in scheduler.runs()]
        assert runs == [(1, RunStatus.FAILED), (2, RunStatus.FAILED)]


class TestOfSeveralProcesses:
    async def test_the_one_that_leads_begins_it(self) -> None:
        store = MemoryStore()
        async with Process(store, leads=False) as follower, Process(store) as leader:
            store.ask("task", START)
            await asyncio.sleep(3)
        assert (len(leader.listener.finished), follower.listener.finished) == (1, [])

    async def test_one_begins_it_if_all_run_the_task_and_none_of_the_others_misses_it(self) -> None:
        store = MemoryStore()
        async with (
            Process(store, leads=False, scope=Scope.REPLICA) as one,
            Process(store, scope=Scope.REPLICA) as other,
        ):
            store.ask("task", START)
            await asyncio.sleep(3)
        assert len(one.listener.finished + other.listener.finished) == 1
        assert one.listener.skipped + other.listener.skipped == []

    async def test_who_comes_to_lead_begins_what_was_asked_for_while_nobody_did(self) -> None:
        store = MemoryStore()
        async with Process(store, leads=False) as process:
            store.ask("task", START)
            await asyncio.sleep(REQUEST_LASTS.total_seconds() + 10)
            assert process.listener.finished == []
            process.leadership.turn(leads=True)
            await asyncio.sleep(3)
        assert len(process.listener.finished) == 1

    async def test_one_that_is_drained_before_it_could_begin_leaves_it_to_the_next(self) -> None:
        class Slow(MemoryStore):
            async def claim_asked(self, *arguments: Any, term: int | None = None) -> Any:
                await asyncio.sleep(3)
                return await super().claim_asked(*arguments, term=term)

        store = Slow()
        async with Process(store) as first:
            store.ask("task", START)
            await asyncio.sleep(1)
        async with Process(store) as second:
            await asyncio.sleep(5)
        assert (first.listener.finished, len(second.listener.finished)) == ([], 1)


class TestListenersAreTold:
    async def test_of_each_change_once(self) -> None:
        async with Scheduler(make_task(schedule=RARE)) as scheduler:
            changes = []
            for change in (
                lambda: scheduler.store.pause("task"),
                lambda: scheduler.store.resume("task"),
                lambda: scheduler.store.ask("task", scheduler.clock.now()),
            ):
                await asyncio.sleep(5)
                change()
                await asyncio.sleep(0.5)
                changes.append(scheduler.listener.requests_changes)
        assert changes == [1, 2, 4], "the last is asked for, and then no more"

    async def test_in_the_process_that_leads_alone(self) -> None:
        store = MemoryStore()
        async with Process(store, leads=False) as follower:
            await asyncio.sleep(1)
            store.pause("task")
            await asyncio.sleep(2)
        assert follower.listener.requests_changes == 0
