"""What the database holds afterwards, on SQLite and on PostgreSQL."""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.db.backends.signals import connection_created

from asyncsched import Every, History
from asyncsched.engine.runs import Claim, Occurrence, Refusal, RunStatus, SkipReason, Trigger
from asyncsched.errors import ConfigurationError, StoreUnavailable
from asyncsched.models import TaskRun, TaskState
from asyncsched.storage import claims, requests
from asyncsched.storage.connections import thread_connections
from asyncsched.storage.store import DjangoStore
from tests.engine.conftest import make_task
from tests.storage.conftest import now
from tests.storage.test_store_contract import HOURLY, NOON, SUBMINUTE, occurrence, result
from tests.support.databases import default_database
from tests.support.postgres import Postgres

Answer = TypeVar("Answer")


async def ask(query: Callable[[], Answer]) -> Answer:
    """Answer *query* in another thread, on a connection of its own."""

    def answer() -> Answer:
        with thread_connections():
            return query()

    return await asyncio.to_thread(answer)


async def rows() -> list[TaskRun]:
    return await ask(lambda: list(TaskRun.objects.order_by("pk")))


async def state(name: str) -> TaskState:
    return await ask(lambda: TaskState.objects.get(task=name))


async def run(store: DjangoStore, task: Any, status: RunStatus = RunStatus.SUCCEEDED, **facts: Any) -> None:
    hours = facts.pop("hours", 0)
    trigger = facts.pop("trigger", Trigger.SCHEDULE)
    claim = await store.claim(task, occurrence(task, hours, trigger=trigger))
    assert isinstance(claim, Claim)
    store.record(result(claim, status, **facts))


@pytest.fixture
async def store(database: Any) -> AsyncIterator[DjangoStore]:
    store = DjangoStore(now=now)
    yield store
    await store.close(5)  # if the test has failed before it did


async def test_a_run_is_a_row_with_all_that_is_known(store: DjangoStore) -> None:
    await store.load([HOURLY])
    await run(store, HOURLY, RunStatus.FAILED, error="OSError: no", traceback="File …", lateness=0.5, failures=3)
    await store.close(5)
    (row,) = await rows()
    assert (row.task, row.status, row.error, row.traceback) == ("hourly", "failed", "OSError: no", "File …")
    assert (row.scheduled_for, row.lateness, row.trigger, row.attempt) == (NOON, 0.5, "schedule", 1)
    assert row.replica == store.replica
    assert (await state("hourly")).consecutive_failures == 3


async def test_a_claimed_run_shows_as_running_until_it_is_recorded(store: DjangoStore) -> None:
    claim = await store.claim(HOURLY, occurrence())
    assert [row.status for row in await rows()] == ["running"]
    assert isinstance(claim, Claim)
    store.record(result(claim))
    await store.close(5)
    assert [row.status for row in await rows()] == ["succeeded"]


async def test_successes_of_subminute_tasks_leave_no_row_but_the_state(store: DjangoStore) -> None:
    task = make_task(schedule=Every(2), name="subminute", history=History.FAILURES)
    await run(store, task)
    await run(store, task, RunStatus.FAILED, hours=1, error="no")
    await run(store, task, hours=2)
    await store.close(5)
    assert [row.status for row in await rows()] == ["failed"]
    known = await state("subminute")
    assert (known.last_status, known.cursor, known.last_error) == ("succeeded", NOON + timedelta(hours=2), "")


async def test_the_first_run_of_a_task_is_seen_soon_and_further_successes_wait(store: DjangoStore) -> None:
    task = make_task(schedule=Every(2), name="subminute", history=History.FAILURES)
    await run(store, task)
    async with asyncio.timeout(30):
        while not await ask(TaskState.objects.exists):  # noqa: ASYNC110 - the database has no event to wait for
            await asyncio.sleep(0.02)
    await run(store, task, hours=1)
    await store.next_requests()  # the thread has been round once more
    assert (await state("subminute")).cursor == NOON
    await store.close(5)
    assert (await state("subminute")).cursor == NOON + timedelta(hours=1)


async def test_the_next_process_knows_where_the_last_one_stood(store: DjangoStore) -> None:
    await run(store, HOURLY, RunStatus.FAILED, failures=2)
    await store.close(5)
    following = DjangoStore(now=now)
    remembered = await following.load([HOURLY, SUBMINUTE])
    await following.close(5)
    assert (remembered["hourly"].cursor, remembered["hourly"].failures) == (NOON, 2)
    assert "subminute" not in remembered


async def test_a_manual_run_does_not_settle_an_occurrence(store: DjangoStore) -> None:
    await run(store, HOURLY)
    await run(store, HOURLY, hours=5, trigger=Trigger.MANUAL)
    await store.close(5)
    known = await state("hourly")
    assert (known.cursor, known.last_scheduled_for) == (NOON, NOON + timedelta(hours=5))


async def test_a_pause_is_seen_and_not_overwritten(store: DjangoStore) -> None:
    await ask(lambda: TaskState.objects.create(task="hourly", paused=True))
    assert (await store.next_requests()).paused == {"hourly"}
    await run(store, HOURLY)
    await store.close(5)
    assert (await state("hourly")).paused


async def test_the_run_of_a_process_that_died_is_abandoned_and_bars_nobody(store: DjangoStore) -> None:
    await store.claim(HOURLY, occurrence())
    await store.close(5)  # and with it its heartbeat
    await ask(lambda: TaskRun.objects.update(heartbeat_at=now() - claims.LEASE))
    survivor = DjangoStore(now=now)
    assert isinstance(await survivor.claim(HOURLY, occurrence(hours=1)), Claim)
    assert [row.status for row in await rows()] == ["abandoned", "running"]
    await survivor.close(5)


async def test_runs_of_dead_processes_are_abandoned_even_if_nobody_claims_their_task(store: DjangoStore) -> None:
    await store.claim(HOURLY, occurrence())
    await store.close(5)  # and with it its heartbeat
    await ask(lambda: TaskRun.objects.update(heartbeat_at=now() - claims.LEASE))
    survivor = DjangoStore(now=now)
    await survivor.load([SUBMINUTE])
    await survivor.next_requests()  # the thread has been round
    assert [row.status for row in await rows()] == ["abandoned"]
    await survivor.close(5)


async def test_an_idle_store_keeps_its_connection(store: DjangoStore) -> None:
    opened = []

    def note(sender: Any, **kwargs: Any) -> None:
        opened.append(threading.current_thread())

    connection_created.connect(note)
    try:
        for paused in (True, False):
            await ask(partial(requests.set_paused, "hourly", value=paused))
            await store.next_requests()
    finally:
        connection_created.disconnect(note)
    assert len([thread for thread in opened if thread is store._thread._thread]) == 1
    await store.close(5)


async def test_what_comes_due_while_it_is_not_certain_who_lives_is_asked_for_again(store: DjangoStore) -> None:
    """A process died a moment ago: its run looks as if it went on, and must not cost what others catch up on."""
    await store.claim(HOURLY, occurrence())
    survivor = DjangoStore(now=now)
    with pytest.raises(StoreUnavailable, match="another process runs the task, or has died"):
        await survivor.claim(HOURLY, occurrence(hours=1))
    await store.close(5)
    await survivor.close(5)


async def test_what_comes_due_during_a_run_that_certainly_goes_on_is_refused(store: DjangoStore) -> None:
    await store.claim(HOURLY, occurrence())
    await store.load([HOURLY])  # the thread has been round: no heartbeat of its own comes in between
    due = await ask(lambda: TaskRun.objects.get().started_at + timedelta(seconds=1))
    await ask(lambda: TaskRun.objects.update(heartbeat_at=due + timedelta(seconds=1)))
    answer = await store.claim(HOURLY, Occurrence(task="hourly", scheduled_for=due))
    assert isinstance(answer, Refusal)
    assert answer.reason is SkipReason.RUNNING_ELSEWHERE
    await store.close(5)


async def test_force_runs_beside_another(store: DjangoStore) -> None:
    await store.claim(HOURLY, occurrence())
    asked_for = occurrence(hours=1, trigger=Trigger.MANUAL)
    assert isinstance(await store.claim(HOURLY, asked_for), Refusal)
    assert isinstance(await store.claim(HOURLY, asked_for, force=True), Claim)
    await store.close(5)


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
async def test_text_that_databases_refuse_is_stored_all_the_same(store: DjangoStore, text: str) -> None:
    await run(store, HOURLY, RunStatus.FAILED, error=text)
    await store.close(5)
    (row,) = await rows()
    assert row.error.startswith("a")


async def test_a_value_the_database_refuses_costs_only_its_own_run(store: DjangoStore) -> None:
    task = make_task(schedule=Every(2), name="subminute", history=History.ALL)
    for hours, duration in enumerate([0.1, float("nan"), 0.3]):
        claim = await store.claim(task, occurrence(task, hours))
        assert isinstance(claim, Claim)
        moment = claim.occurrence.scheduled_for
        store.record(
            result(claim).__class__(
                claim=claim, status=RunStatus.SUCCEEDED, started_at=moment, finished_at=moment, duration=duration
            )
        )
    await store.close(5)
    assert {row.duration for row in await rows()} >= {0.1, 0.3}


async def test_a_database_without_tables_is_named_with_the_fix(tmp_path: Path, sqlite_database: Path) -> None:
    with default_database(f"sqlite:///{tmp_path / 'empty.sqlite3'}", migrate=False):
        store = DjangoStore(now=now)
        with pytest.raises(ConfigurationError, match="migrate"):
            await store.load([HOURLY])
        await store.close(5)


async def test_a_database_that_an_older_version_migrated_is_named_with_what_it_lacks(sqlite_database: Path) -> None:
    with closing(sqlite3.connect(sqlite_database)) as older:
        older.execute("ALTER TABLE asyncsched_taskrun DROP COLUMN log")
    store = DjangoStore(now=now)
    with pytest.raises(ConfigurationError, match=r"the column 'log' of the table 'asyncsched_taskrun'.*migrate"):
        await store.load([HOURLY])
    await store.close(5)


class TestOutage:
    """The database is away for a while."""

    async def test_runs_are_kept_and_written_when_a_locked_sqlite_is_free_again(
        self, sqlite_database: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = DjangoStore(now=now)
        await store.load([HOURLY])
        task = make_task(schedule=Every(2), name="subminute", history=History.ALL)
        lock = sqlite3.connect(sqlite_database, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        for hours in range(50):
            await run(store, task, hours=hours)
        await _logged(caplog, "history_unavailable")
        lock.execute("ROLLBACK")
        lock.close()
        await _logged(caplog, "history_available")
        await store.close(5)
        assert len(await rows()) == 50
        actions = [getattr(record, "action", "") for record in caplog.records]
        assert actions.count("history_unavailable") == 1

    async def test_a_claim_says_that_it_cannot_tell(self, sqlite_database: Path) -> None:
        store = DjangoStore(now=now)
        await store.load([HOURLY])
        lock = sqlite3.connect(sqlite_database, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            await store.claim(HOURLY, occurrence())
        lock.close()
        await store.close(5)

    async def test_a_claim_whose_caller_has_gone_is_taken_back(self, sqlite_database: Path) -> None:
        store = DjangoStore(now=now)
        await store.load([HOURLY])
        lock = sqlite3.connect(sqlite_database, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        claiming = asyncio.create_task(store.claim(HOURLY, occurrence()))
        await asyncio.sleep(0.05)  # it is waiting for the lock
        claiming.cancel()
        lock.execute("ROLLBACK")
        lock.close()
        assert isinstance(await store.claim(HOURLY, occurrence()), Claim)
        assert len(await rows()) == 1
        await store.close(5)

    async def test_runs_survive_a_restart_of_postgresql(
        self, postgres_database: Postgres, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = DjangoStore(now=now)
        await store.load([HOURLY])
        task = make_task(schedule=Every(2), name="subminute", history=History.ALL)
        await run(store, task)
        postgres_database.stop()
        await run(store, task, hours=1)
        await _logged(caplog, "history_unavailable")
        with pytest.raises(StoreUnavailable):
            await store.next_requests()
        postgres_database.start()
        await _logged(caplog, "history_available")
        await store.close(5)
        assert len(await rows()) == 2


async def _logged(caplog: pytest.LogCaptureFixture, action: str) -> None:
    caplog.set_level(logging.INFO)
    async with asyncio.timeout(30):
        while action not in {getattr(record, "action", "") for record in caplog.records}:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def test_running_rows_of_this_process_are_renewed(sqlite_database: Path) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    claim = claims.claim(HOURLY, occurrence(), replica="here", now=moment)
    assert isinstance(claim, Claim)
    claims.renew([claim.run_id], moment + claims.HEARTBEAT)
    assert TaskRun.objects.get().heartbeat_at == moment + claims.HEARTBEAT
