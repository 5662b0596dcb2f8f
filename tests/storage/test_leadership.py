"""Processes that share a database: one leads, and what follows when it resigns, dies, hangs or loses its connection."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection, connections

from asyncsched import Every, Scope
from asyncsched.engine.clock import SystemClock
from asyncsched.engine.leadership import FOLLOWS, LOOP_PATIENCE, Standing
from asyncsched.engine.shared_clock import SharedClock
from asyncsched.models import Lease, Replica
from asyncsched.storage import session_lock
from asyncsched.storage.leadership import DjangoLeadership
from tests.engine.conftest import make_task
from tests.support.deadline import eventually
from tests.support.postgres import Postgres

LEASE = 2.0
TASK = make_task(schedule=Every(2), name="once")
EVERYWHERE = make_task(schedule=Every(2), name="everywhere", scope=Scope.REPLICA)
NEW = make_task(schedule=Every(2), name="new")


class Process:
    """One process in the election."""

    def __init__(self, name: str, tasks: Any = (TASK, EVERYWHERE), *, loop_patience: float = LOOP_PATIENCE) -> None:
        self.clock = SharedClock(SystemClock())
        self.met_others = 0
        self.leadership = DjangoLeadership(
            replica=f"host:1:{name}",
            tasks=tasks,
            seconds=LEASE,
            clock=self.clock,
            version="test",
            on_company=self.meet,
            loop_patience=loop_patience,
        )
        self._watch: asyncio.Task[None] | None = None
        self.standings: list[Standing] = []

    def meet(self) -> None:
        self.met_others += 1

    async def join(self) -> None:
        await self.leadership.join()
        self._watch = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        while True:
            known = self.standings[-1] if self.standings else FOLLOWS
            self.standings.append(await self.leadership.changed(known))

    @property
    def leads(self) -> bool:
        return self.leadership.standing.leads

    @property
    def term(self) -> int | None:
        return self.leadership.standing.term

    async def hang(self) -> None:
        """The event loop goes on, but nobody looks at the row any more: as if the process were frozen."""
        await self.leadership._thread.call(self._look_no_more)  # in the thread that looks, or a look may come after it

    def _look_no_more(self) -> None:
        self.leadership._duty._look_at = time.monotonic() + 1000

    async def hang_loop(self) -> None:
        """Nobody says any more that the event loop goes on; the thread does."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])

    async def leave(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        await self.leadership.leave(5)


@asynccontextmanager
async def processes(*names: str, **options: Any) -> AsyncIterator[list[Process]]:
    """Processes that joined one after the other: the first leads."""
    group = [Process(name, **options) for name in names]
    for process in group:
        await process.join()
    try:
        yield group
    finally:
        for process in group:
            await process.leave()


async def until(condition: Callable[[], Any], *, within: float = 20) -> float:
    """Wait for *condition*; return how many seconds it took."""
    began = time.monotonic()

    async def holds() -> bool:
        return bool(condition())

    await eventually(holds, within=within)
    return time.monotonic() - began


async def ask(question: Callable[[], Any]) -> Any:
    """Ask the database from a new thread, so by a new connection: others may have been ended meanwhile."""

    def with_connection() -> Any:
        try:
            return question()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        return await asyncio.get_running_loop().run_in_executor(thread, with_connection)


async def rows() -> list[Replica]:
    return await ask(lambda: list(Replica.objects.order_by("replica")))


@pytest.mark.usefixtures("database")
class TestOnEveryDatabase:
    async def test_the_first_leads_as_soon_as_it_has_joined_and_the_next_stands_by(self) -> None:
        async with processes("one", "other") as (one, other):
            assert (one.leads, one.term, other.leadership.standing) == (True, 1, FOLLOWS)

    async def test_it_goes_on_to_lead_while_others_wait(self) -> None:
        async with processes("one", "other") as (one, other):
            await asyncio.sleep(1.2 * LEASE)
            assert (one.leads, one.term, other.leads) == (True, 1, False)

    async def test_when_it_leaves_another_leads_at_once(self) -> None:
        async with processes("one", "other") as (one, other):
            await one.leave()
            assert not one.leads
            await until(lambda: other.leads and other.standings)  # it is told of it a moment later
            assert other.term == 2
            assert [standing.term for standing in other.standings if standing.leads] == [2]

    async def test_when_it_hangs_it_trusts_itself_no_more_before_another_leads(self) -> None:
        async with processes("one", "other") as (one, other):
            await asyncio.sleep(LEASE / 2)
            await one.hang()
            await until(lambda: not one.leads)
            assert not other.leads
            await until(lambda: other.leads)
            assert (one.leads, other.term) == (False, 2)

    async def test_when_its_event_loop_hangs_for_too_long_it_resigns_and_another_leads(self) -> None:
        async with processes("one", "other", loop_patience=1.5) as (one, other):
            await one.hang_loop()
            await until(lambda: other.leads)
            assert (one.leads, other.term) == (False, 2)

    async def test_who_comes_back_alone_leads_in_a_term_of_its_own(self) -> None:
        async with processes("one") as (one,):
            await one.leave()
        async with processes("two") as (two,):
            assert two.term == 2

    async def test_every_process_is_known_with_its_tasks_until_it_leaves(self) -> None:
        async with processes("one", "other") as (_, other):
            found = await rows()
            assert [row.replica for row in found] == ["host:1:one", "host:1:other"]
            assert found[0].tasks["everywhere"] == {"schedule": "every 2 s", "scope": "replica", "enabled": True}
            await other.leave()
            assert [row.replica for row in await rows()] == ["host:1:one"]

    async def test_it_is_told_once_that_it_has_company(self) -> None:
        async with processes("one", "other") as (one, other):
            await until(lambda: one.met_others and other.met_others)
            assert (one.met_others, other.met_others) == (1, 1)

    async def test_during_a_deploy_the_one_that_knows_more_tasks_takes_over(self) -> None:
        async with processes("old") as (old,):
            new = Process("new", (TASK, NEW, EVERYWHERE))
            await new.join()
            await until(lambda: new.leads)
            assert not old.leads
            await new.leave()
            await until(lambda: old.leads)


@pytest.mark.usefixtures("sqlite_database")
async def test_a_process_that_is_alone_writes_nothing_while_it_leads() -> None:
    async with processes("one") as (one,):
        before = await ask(lambda: (Lease.objects.values().get(), Replica.objects.values().get()))
        await asyncio.sleep(LEASE)
        assert one.leads
        assert await ask(lambda: (Lease.objects.values().get(), Replica.objects.values().get())) == before


class TestOnPostgres:
    async def holders(self) -> list[int]:
        def find() -> list[int]:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted")
                return [pid for (pid,) in cursor.fetchall()]

        return await ask(find)

    async def end(self, pid: int) -> None:
        def terminate() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", [pid])

        await ask(terminate)

    async def test_the_leader_alone_holds_the_session_lock(self, postgres_database: Postgres) -> None:
        async with processes("one", "other") as (one, other):
            assert len(await self.holders()) == 1
            await one.leave()
            await until(lambda: other.leads)
            assert len(await self.holders()) == 1

    async def test_a_leader_whose_session_is_ended_gets_the_lock_again_and_goes_on_in_its_term(
        self, postgres_database: Postgres
    ) -> None:
        async with processes("one", "other") as (one, other):
            for _ in range(3):
                (pid,) = await self.holders()
                await self.end(pid)
                await asyncio.sleep(LEASE / 2)
            assert (one.leads, one.term, other.leads) == (True, 1, False)

    async def test_the_session_of_a_leader_that_hangs_is_ended_by_who_takes_over(
        self, postgres_database: Postgres, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with processes("one", "other") as (one, other):
            (before,) = await self.holders()
            await one.hang()
            await until(lambda: other.leads)
            assert await self.holders() != [before]
        assert "session_ended" in {getattr(record, "action", "") for record in caplog.records}

    async def test_a_session_of_the_past_that_still_holds_the_lock_is_ended_by_whoever_may_lead(
        self, postgres_database: Postgres
    ) -> None:
        with psycopg.connect(postgres_database.url("migrated"), autocommit=True) as ghost:
            ghost.execute(session_lock.TAKE)
            async with processes("one") as (one,):
                assert not one.leads
                await until(lambda: one.leads)
            with pytest.raises(psycopg.OperationalError):
                ghost.execute("SELECT 1")

    async def test_nobody_takes_over_from_a_leader_whose_session_is_used_whatever_it_has_seen(
        self, postgres_database: Postgres
    ) -> None:
        async with processes("one", "other") as (one, other):
            await ask(lambda: Lease.objects.update(holder="host:1:nobody", watched=True))
            # The row names a dead process, but the session of the living one is at work; it steps down by itself.
            await until(lambda: not one.leads)
            await until(lambda: one.leads or other.leads)
            assert (one.term or other.term) == 2

    async def test_all_follow_while_the_database_is_away_and_one_leads_again_when_it_is_back(
        self, postgres_database: Postgres, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        async with processes("one", "other") as group:
            postgres_database.stop()
            await until(lambda: not any(process.leads for process in group))
            postgres_database.start()
            await until(lambda: any(process.leads for process in group))
            assert sum(process.leads for process in group) == 1
        actions = [getattr(record, "action", "") for record in caplog.records]
        assert actions.count("election_unavailable") <= len(group)
        assert "election_available" in actions

    async def test_the_time_that_counts_is_the_databases(self, postgres_database: Postgres) -> None:
        async with processes("one") as (one,):
            shown = await ask(self.database_time)
            assert abs((one.clock.now() - shown).total_seconds()) < 1
            assert one.clock._anchor is not None

    @staticmethod
    def database_time() -> Any:
        from asyncsched.storage.database_time import database_now

        return database_now()
