"""Behind a real PgBouncer: what a session lock is worth there, and that the scheduler notices."""

import asyncio
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest
from django.core.checks import Tags, run_checks
from django.db import connection

from asyncsched.engine.runs import Claim
from asyncsched.models import TaskRun
from asyncsched.storage.bounds import BoundedConnection
from asyncsched.storage.connections import thread_connections
from asyncsched.storage.elector import Elector
from asyncsched.storage.session_lock import guard
from asyncsched.storage.store import DjangoStore
from tests.storage.conftest import empty_tables, now
from tests.storage.test_store_contract import HOURLY, occurrence, result
from tests.support.databases import default_database
from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import Postgres

LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"

Factory = Callable[..., PgBouncer]


def client(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url, autocommit=True, prepare_threshold=None)


def ask(url: str, question: str) -> Any:
    with client(url) as asking:
        return asking.execute(question).fetchone()[0]


def two_take(key: int, url: str) -> list[bool]:
    """Two clients of *url*, both connected, ask for the same session lock."""
    with client(url) as one, client(url) as other:
        return [each.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone()[0] for each in (one, other)]


@pytest.fixture
def key() -> int:
    """A lock that no other test has asked for."""
    return uuid.uuid4().int >> 97


class TestWhyASessionLockIsNotEnough:
    def test_a_transaction_pool_gives_it_to_two_at_once(self, pgbouncer: Factory, key: int) -> None:
        assert two_take(key, pgbouncer("transaction").url()) == [True, True]

    def test_it_outlives_those_who_took_it(self, pgbouncer: Factory, postgres: Postgres, key: int) -> None:
        two_take(key, pgbouncer("transaction").url())
        assert ask(postgres.url(), f"SELECT pg_try_advisory_lock({key})") is False

    def test_a_session_pool_gives_it_to_one(self, pgbouncer: Factory, key: int) -> None:
        assert two_take(key, pgbouncer("session").url()) == [True, False]

    def test_so_does_the_server_itself(self, postgres: Postgres, key: int) -> None:
        assert two_take(key, postgres.url()) == [True, False]


def judged(url: str, blocker: Any, times: int = 1) -> set[bool]:
    """Return what is said of connections to *url*, one after another."""
    answers = set()
    with blocker.unblock(), default_database(url, migrate=False):
        for _ in range(times):
            with closing(BoundedConnection(5)) as bounded:
                connection.ensure_connection()
                answers.add(bounded.is_pooled)
    return answers


class TestDetection:
    def test_a_direct_connection_is_not_pooled(self, postgres: Postgres, django_db_blocker: Any) -> None:
        assert judged(postgres.url(), django_db_blocker) == {False}

    @pytest.mark.parametrize("mode", ["transaction", "statement"])
    @pytest.mark.parametrize("size", [1, 10])
    def test_one_by_a_pool_of_any_size_is(
        self, mode: str, size: int, pgbouncer: Factory, django_db_blocker: Any
    ) -> None:
        bouncer = pgbouncer(mode, default_pool_size=size, query_wait_timeout=30)
        assert judged(bouncer.url(), django_db_blocker) == {True}

    def test_it_is_noticed_each_time_however_busy_the_pool_is(self, pgbouncer: Factory, django_db_blocker: Any) -> None:
        bouncer = pgbouncer("transaction", default_pool_size=4)
        with others_at_work(bouncer.url()):
            assert judged(bouncer.url(), django_db_blocker, times=30) == {True}

    def test_asking_takes_no_second_place_in_the_pool(self, pgbouncer: Factory, django_db_blocker: Any) -> None:
        bouncer = pgbouncer("session", default_pool_size=1, query_wait_timeout=2)
        judged(bouncer.url(), django_db_blocker)  # a second connection would wait for the first, and be refused


@contextmanager
def others_at_work(url: str) -> Iterator[None]:
    """Three clients of *url* with a short transaction after another."""
    ended = threading.Event()

    def work() -> None:
        with client(url) as mine:
            while not ended.is_set():
                mine.execute("SELECT pg_sleep(0.001)")

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        ended.set()
        for worker in workers:
            worker.join()


@pytest.fixture
def pooled(migrated_postgres: Postgres, pgbouncer: Factory, django_db_blocker: Any) -> Iterator[None]:
    """The scheduler's tables, through a pool by transaction."""
    url = pgbouncer("transaction").url("migrated")
    with django_db_blocker.unblock(), default_database(url, migrate=False):
        yield
        empty_tables()


@pytest.fixture
def bounded(pooled: None) -> Iterator[BoundedConnection]:
    made = BoundedConnection(5)
    yield made
    made.close()


class TestTheCheck:
    def test_warns_of_a_pool_by_transaction(self, pgbouncer: Factory, django_db_blocker: Any) -> None:
        assert warnings(pgbouncer("transaction").url(), django_db_blocker) == ["asyncsched.W001"]

    def test_says_nothing_of_a_direct_connection(self, postgres: Postgres, django_db_blocker: Any) -> None:
        assert warnings(postgres.url(), django_db_blocker) == []


def warnings(url: str, blocker: Any) -> list[str]:
    """Return the ids of what ``check --database default`` says of us."""
    with blocker.unblock(), default_database(url, migrate=False):
        found = run_checks(tags=[Tags.database], databases=["default"])
        return [str(one.id) for one in found if str(one.id).startswith("asyncsched")]


class TestTheScheduler:
    def test_does_without_the_lock_and_says_so_once(
        self, bounded: BoundedConnection, caplog: pytest.LogCaptureFixture
    ) -> None:
        lock = guard(lambda: bounded.is_pooled)
        assert [lock.take(), lock.take()] == [True, True]
        assert [record.action for record in caplog.records] == ["pooled"]  # type: ignore[attr-defined]
        with connection.cursor() as cursor:
            cursor.execute(LOCKS)
            assert cursor.fetchone() == (0,)

    def test_sets_no_limits_that_others_would_inherit(self, bounded: BoundedConnection) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("0",)

    def test_still_has_one_leader_by_the_row_alone(self, bounded: BoundedConnection) -> None:
        electors = [elector(name, bounded) for name in ("one", "other")]
        for each in (*electors, *electors):
            each.look()
        assert [each.leads for each in electors] == [True, False]

    async def test_grants_an_occurrence_once_and_keeps_what_became_of_it(self, pooled: None) -> None:
        stores = [DjangoStore(now=now) for _ in range(3)]
        answers = await asyncio.gather(*(store.claim(HOURLY, occurrence()) for store in stores))
        (claim,) = [answer for answer in answers if isinstance(answer, Claim)]
        stores[answers.index(claim)].record(result(claim))
        await asyncio.gather(*(store.close(5) for store in stores))
        assert await asyncio.to_thread(statuses) == ["succeeded"]


def statuses() -> list[str]:
    with thread_connections():
        return [run.status for run in TaskRun.objects.all()]


def elector(name: str, bounded: BoundedConnection) -> Elector:
    return Elector(
        me=name,
        seconds=60,
        now=now,
        guard=guard(lambda: bounded.is_pooled),
        loop_seen=time.monotonic,
    )
