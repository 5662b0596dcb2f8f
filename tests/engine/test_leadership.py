"""One process leads and runs the tasks of scope ``cluster``; the others stand by."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from asyncsched import Every, Scope
from asyncsched.engine.executor import LocalExecutor
from asyncsched.engine.leadership import Standing
from asyncsched.engine.ports import Remembered
from asyncsched.engine.progress import State
from asyncsched.engine.runs import Settled, SkipReason
from asyncsched.engine.supervisor import Supervisor
from asyncsched.errors import ConfigurationError, StoreUnavailable
from asyncsched.testing import MemoryStore, RecordingListener, VirtualClock
from tests.engine.conftest import make_task

pytestmark = pytest.mark.looptime

START = datetime(2026, 1, 1, tzinfo=UTC)


class Switch:
    """A leadership that the test hands out."""

    def __init__(self, *, leads: bool) -> None:
        self.standing = Standing(leads=leads, term=1 if leads else None)
        self.has_left = False
        self._changed = asyncio.Event()

    def turn(self, *, leads: bool, term: int = 1, since: datetime | None = None) -> None:
        self.standing = Standing(leads=leads, term=term if leads else None, since=since)
        self._changed.set()

    async def join(self) -> None: ...

    async def changed(self, known: Standing) -> Standing:
        while self.standing == known:
            await self._changed.wait()
            self._changed.clear()
        return self.standing

    async def leave(self, patience: float) -> None:
        self.has_left = True


class Replica:
    """A process with a task of scope ``cluster`` and one of scope ``replica``."""

    def __init__(self, *, leads: bool, every: float = 10, store: Any = None) -> None:
        self.leadership = Switch(leads=leads)
        self.listener = RecordingListener()
        self.supervisor = Supervisor(
            [
                make_task(schedule=Every(every), name="once"),
                make_task(schedule=Every(every), name="everywhere", scope=Scope.REPLICA),
            ],
            clock=VirtualClock(START),
            store=store or MemoryStore(),
            executor=LocalExecutor(1),
            listeners=[self.listener],
            leadership=self.leadership,
        )

    async def __aenter__(self) -> "Replica":
        await self.supervisor.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.supervisor.drain(1)

    def seconds(self, name: str) -> list[float]:
        """When each run of *name* was due."""
        runs = [run for run in self.listener.finished if run.task == name]
        return [(run.claim.occurrence.scheduled_for - START).total_seconds() for run in runs]


async def test_a_follower_runs_only_what_belongs_to_every_process() -> None:
    async with Replica(leads=False) as replica:
        await asyncio.sleep(25)
        assert replica.supervisor.state("once") is State.STANDBY
        assert not replica.supervisor.health().leader
    assert (replica.seconds("once"), replica.seconds("everywhere")) == ([], [10, 20])


async def test_it_takes_over_with_the_next_occurrence_and_hands_over_again() -> None:
    async with Replica(leads=False) as replica:
        await asyncio.sleep(25)
        replica.leadership.turn(leads=True)
        await asyncio.sleep(20)
        assert replica.supervisor.health().leader
        replica.leadership.turn(leads=False)
        await asyncio.sleep(20)
    assert replica.seconds("once") == [30, 40]
    assert replica.seconds("everywhere") == [10, 20, 30, 40, 50, 60]


async def test_what_it_did_not_run_while_it_followed_leaves_that_reason() -> None:
    async with Replica(leads=False) as replica:
        await asyncio.sleep(25)
        replica.leadership.turn(leads=True)
        await asyncio.sleep(1)
    (skipped,) = (one for one in replica.listener.skipped if one.task == "once")
    assert (skipped.reason, skipped.count) == (SkipReason.NOT_LEADER, 2)


async def test_it_catches_up_on_what_the_leader_before_has_left() -> None:
    store = MemoryStore()
    async with Replica(leads=False, every=100, store=store) as replica:
        await asyncio.sleep(1)
        store.settle(Settled(task="once", until=START + timedelta(seconds=200)))
        await asyncio.sleep(349)
        replica.leadership.turn(leads=True)
        await asyncio.sleep(60)
    assert replica.seconds("once") == [300, 400]


async def test_a_takeover_does_not_wait_for_a_store_that_is_away() -> None:
    class Away(MemoryStore):
        away = False

        async def load(self, tasks: Any) -> Any:
            if self.away:
                raise StoreUnavailable("no route")
            return await super().load(tasks)

    store = Away({"once": Remembered(cursor=START - timedelta(seconds=100))})
    async with Replica(leads=False, every=86_400, store=store) as replica:
        await asyncio.sleep(10)
        store.away = True
        replica.leadership.turn(leads=True)
        await asyncio.sleep(1)
    assert replica.seconds("once") == [0]


class Lapsing(Switch):
    """Trust that lapses without anybody being told, as when the database does not answer."""

    def lapse(self) -> None:
        self.standing = Standing(leads=False)

    def regain(self, *, term: int) -> None:
        self.turn(leads=True, term=term)


async def lapsing_replica(every: float) -> Replica:
    replica = Replica(leads=True, every=every)
    replica.leadership = Lapsing(leads=True)
    replica.supervisor._leadership = replica.leadership
    return replica


async def test_trust_is_looked_at_right_before_each_start() -> None:
    async with await lapsing_replica(10) as replica:
        await asyncio.sleep(15)
        replica.leadership.lapse()
        await asyncio.sleep(20)
    assert replica.seconds("once") == [10]
    assert SkipReason.NOT_LEADER in {skip.reason for skip in replica.listener.skipped}


async def test_what_came_due_while_nobody_could_be_trusted_is_caught_up_on_by_who_leads_then() -> None:
    async with await lapsing_replica(100) as replica:
        await asyncio.sleep(50)
        replica.leadership.lapse()
        await asyncio.sleep(60)
        assert replica.seconds("once") == []
        replica.leadership.regain(term=2)
        await asyncio.sleep(1)
    assert replica.seconds("once") == [100]


async def test_the_term_is_handed_to_the_tasks_of_the_leader() -> None:
    async with Replica(leads=True) as replica:
        await asyncio.sleep(11)
    terms = {run.task: run.claim.term for run in replica.listener.finished}
    assert terms == {"once": 1, "everywhere": None}


async def test_another_term_is_another_leadership_even_if_nobody_else_had_it_in_between() -> None:
    async with Replica(leads=True) as replica:
        await asyncio.sleep(15)
        replica.leadership.turn(leads=True, term=2, since=START + timedelta(seconds=20))
        await asyncio.sleep(20)
    runs = [(run.claim.term, run.claim.occurrence.scheduled_for) for run in replica.listener.finished]
    assert [term for term, _ in runs if term] == [1, 2]
    assert replica.seconds("once") == [10, 30]


async def test_a_drain_resigns_before_it_waits_for_what_runs() -> None:
    left: list[float] = []

    class Noting(Switch):
        async def leave(self, patience: float) -> None:
            left.append(asyncio.get_running_loop().time())

    async def long() -> None:
        await asyncio.sleep(30)

    supervisor = Supervisor(
        [make_task(long, Every(10))],
        clock=VirtualClock(START),
        store=MemoryStore(),
        executor=LocalExecutor(1),
        leadership=Noting(leads=True),
    )
    await supervisor.start()
    await asyncio.sleep(11)
    began = asyncio.get_running_loop().time()
    await supervisor.drain(10)
    assert left == [began]


async def test_a_claim_whose_answer_came_after_its_term_is_given_back_and_not_run() -> None:
    class Slow(MemoryStore):
        async def claim(self, task: Any, occurrence: Any, *, term: int | None = None) -> Any:
            answer = await super().claim(task, occurrence, term=term)
            await asyncio.sleep(5 if term == 1 else 0)
            return answer

    store = Slow()
    async with Replica(leads=True, every=100, store=store) as replica:
        await asyncio.sleep(102)
        replica.leadership.turn(leads=True, term=2)
        await asyncio.sleep(20)
    assert [run.claim.term for run in replica.listener.finished if run.task == "once"] == [2]
    assert replica.seconds("once") == [100]


async def test_a_watch_that_is_ended_while_it_takes_over_takes_over_all_the_same() -> None:
    class Hanging(MemoryStore):
        hangs = 0

        async def load(self, tasks: Any) -> Any:
            if self.hangs:
                self.hangs -= 1
                raise RuntimeError("nobody expected this")
            return await super().load(tasks)

    store = Hanging()
    async with Replica(leads=False, store=store) as replica:
        await asyncio.sleep(5)
        store.hangs = 1
        replica.leadership.turn(leads=True)
        await asyncio.sleep(30)
    assert replica.seconds("once") == [10, 20, 30]


async def test_a_start_that_fails_leaves_the_election() -> None:
    class Broken(MemoryStore):
        async def load(self, tasks: Any) -> Any:
            raise ConfigurationError("run migrate first")

    replica = Replica(leads=True, store=Broken())
    with pytest.raises(ConfigurationError):
        await replica.supervisor.start()
    assert replica.leadership.has_left
