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
from asyncsched.errors import StoreUnavailable
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

    async def changed(self) -> Standing:
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
