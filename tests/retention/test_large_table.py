"""A clean-up of a large table: what it costs, and what others may do meanwhile.

How long they wait is measured by benchmarks/cleanup, with a million rows.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from alarm.models import AlarmEvent
from alarm.tasks import cleanup_old_events
from tests.support.databases import default_database

pytestmark = pytest.mark.django_db(transaction=True)

EXPIRED, KEPT = 20_000, 2_000
FILL = """
    INSERT INTO alarm_alarmevent (kind, message, source, details, created_at)
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s)
    SELECT 'motion', 'somebody walked past camera ' || n, 'frigate', '{{"score": 0.71}}', {moment} FROM numbers
"""


def fill() -> None:
    """Put expired events into the table, and after them some to be kept."""
    moment = "%s" if connection.vendor == "sqlite" else "CAST(%s AS timestamptz)"
    with connection.cursor() as cursor:
        for count, days in ((EXPIRED, 400), (KEPT, 1)):
            cursor.execute(FILL.format(moment=moment), [count, timezone.now() - timedelta(days=days)])
        cursor.execute("ANALYZE")


@dataclass
class Work:
    """How much the database did: instructions of SQLite's machine, or rows that PostgreSQL read."""

    amount: int = 0


@contextmanager
def sqlite_work() -> Iterator[Work]:
    work = Work()

    def note() -> None:
        work.amount += 100

    connection.connection.set_progress_handler(note, 100)
    yield work
    connection.connection.set_progress_handler(None, 0)


def rows_read() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'alarm_alarmevent'"
        )
        return cursor.fetchone()[0]


@contextmanager
def postgres_work() -> Iterator[Work]:
    before, work = rows_read(), Work()
    yield work
    work.amount = rows_read() - before


@dataclass(frozen=True, kw_only=True)
class Database:
    """One that has a large table. *nobody_writes* raises while anybody else does."""

    work: Callable
    most: float  # work for each row that is deleted
    nobody_writes: Callable[[], None]


@pytest.fixture
def sqlite_database():
    def nobody_writes():
        other = sqlite3.connect(connection.settings_dict["NAME"], timeout=0)
        other.execute("BEGIN IMMEDIATE")
        other.close()

    return Database(work=sqlite_work, most=45, nobody_writes=nobody_writes)


@pytest.fixture
def postgres_database(database_url):
    def nobody_writes():
        with psycopg.connect(database_url) as other:
            other.execute("LOCK TABLE alarm_alarmevent IN EXCLUSIVE MODE NOWAIT")

    with default_database(database_url, migrate=False):
        yield Database(work=postgres_work, most=1.4, nobody_writes=nobody_writes)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request):
    found = request.getfixturevalue(f"{request.param}_database")
    fill()
    return found


def test_no_row_is_looked_at_again_and_again(database):
    with database.work() as work:
        assert cleanup_old_events() == EXPIRED

    assert AlarmEvent.objects.count() == KEPT
    assert work.amount < EXPIRED * database.most


def test_everybody_may_write_between_two_batches(database, inside_a_run):
    assert inside_a_run(cleanup_old_events, lambda _: database.nobody_writes()) == EXPIRED
