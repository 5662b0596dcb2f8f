"""The admin in front of a long history: whatever is asked for, a page reads a bounded number of its rows.

What is counted is work, never time: the rows PostgreSQL says it has read, and SQLite's instructions.
"""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from django.db import connection
from django.test import Client

from asyncsched.admin.export import MOST_EXPORTED
from tests.support.databases import default_database

pytestmark = pytest.mark.slow

ROWS = 120_000
RUNS = "/admin/asyncsched/taskrun/"
# One run every ten seconds. One in 20,000 failed, one in 40,000 was by hand, and so every one of the task "rare".
COLUMNS = (
    "run_id, task, scheduled_for, attempt, trigger, status, started_at, count, result, error, traceback, "
    "replica, claimant"
)
POSTGRES = f"""
    INSERT INTO asyncsched_taskrun ({COLUMNS})
    SELECT gen_random_uuid(), CASE WHEN n % 40000 = 7 THEN 'rare' ELSE 'task_' || n % 10 END, moment, 1,
           CASE WHEN n % 40000 = 7 THEN 'manual' ELSE 'schedule' END,
           CASE WHEN n % 20000 = 7 THEN 'failed' ELSE 'succeeded' END,
           moment, 1, '', CASE WHEN n % 20000 = 7 THEN 'no route' ELSE '' END, '', 'here', ''
    FROM generate_series(1, {ROWS}) AS n, LATERAL (SELECT now() - n * interval '10 seconds' AS moment) AS m
"""
SQLITE = f"""
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS}),
    moments AS (SELECT n, strftime('%Y-%m-%d %H:%M:%S', 'now', '-' || (n * 10) || ' seconds') AS moment FROM numbers)
    INSERT INTO asyncsched_taskrun ({COLUMNS})
    SELECT printf('%032x', n), CASE WHEN n % 40000 = 7 THEN 'rare' ELSE 'task_' || n % 10 END, moment, 1,
           CASE WHEN n % 40000 = 7 THEN 'manual' ELSE 'schedule' END,
           CASE WHEN n % 20000 = 7 THEN 'failed' ELSE 'succeeded' END,
           moment, 1, '', CASE WHEN n % 20000 = 7 THEN 'no route' ELSE '' END, '', 'here', ''
    FROM moments
"""
QUERIES = {
    "": 5,
    "p=20": 5,
    "o=1": 5,
    "o=2": 5,  # a column that cannot be sorted by
    "status=succeeded": 5,
    "status=failed": 5,
    "status=running": 5,
    "task=task_3": 15,  # PostgreSQL may take the index by time, where one in ten is of this task
    "task=rare": 5,
    "task=unknown": 5,
    "task=task_3&status=failed": 5,
    "when=1d": 5,
    "when=30d": 5,
    "when=2000-01-01": 5,
    "when=7d&task=rare&status=failed": 5,
    "trigger=manual": 160,
    "trigger=catch_up": 160,
    "trigger=manual&status=failed": 5,
    "q=no+route": 160,
    "q=what+nobody+wrote": 160,
    "q=no+route&task=rare&trigger=manual": 160,
}
"""What is asked for, and how many thousand rows may be read for it.

Where no index helps, these are the latest 50,000 for each of three queries, or the latest 10,000.
"""


@dataclass
class Work:
    """How many rows were read, or about so many."""

    rows: float = 0
    queries: list[str] = field(default_factory=list)


@contextmanager
def postgres_work() -> Iterator[Work]:
    """Count what PostgreSQL says it reads for each statement; of the same with other values, for the last."""
    work, statements = Work(), {}

    def note(execute, sql, params, many, context):
        if sql.startswith("SELECT") and "_taskrun" in sql:
            statements[sql] = params
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield work
    with connection.cursor() as cursor:
        for sql, params in statements.items():
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
            (plan,) = cursor.fetchone()
            rows = _read((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
            work.rows += rows
            work.queries.append(f"{rows:.0f} {sql}")


def _read(node: dict) -> float:
    """Return how many rows a plan has read from tables and indexes."""
    below = sum(_read(child) for child in node.get("Plans", ()))
    if "Relation Name" not in node and "Index Name" not in node:
        return below
    return below + (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]


@contextmanager
def sqlite_work() -> Iterator[Work]:
    """Count instructions of SQLite's machine. To look at a row and pass on takes at least five of them."""
    work = Work()
    ticks = []
    connection.ensure_connection()
    connection.connection.set_progress_handler(lambda: ticks.append(1) and None, 1_000)
    try:
        yield work
    finally:
        connection.connection.set_progress_handler(None, 0)
    work.rows = len(ticks) * 1_000 / 5


WORK = {"postgresql": postgres_work, "sqlite": sqlite_work}


@pytest.fixture(scope="module", params=["postgres", "sqlite"])
def history(request, tmp_path_factory, django_db_blocker):
    """A database with a long history, and a client of the administrator; for all tests of this module."""
    if request.param == "postgres":
        server, pristine = request.getfixturevalue("postgres"), request.getfixturevalue("pristine")
        url = server.create_database("large_history", template=pristine)
    else:
        url = f"sqlite:///{tmp_path_factory.mktemp('history') / 'large.sqlite3'}"
    with django_db_blocker.unblock(), default_database(url, migrate=request.param == "sqlite"):
        with connection.cursor() as cursor:
            cursor.execute(POSTGRES if request.param == "postgres" else SQLITE)
            cursor.execute("ANALYZE")
        yield _admin()
    if request.param == "postgres":
        server.drop_database("large_history")


def _admin() -> Client:
    from django.contrib.auth import get_user_model

    client = Client()
    client.force_login(get_user_model().objects.create_superuser("admin"))
    return client


@pytest.mark.parametrize(("query", "thousands"), QUERIES.items())
def test_a_list_reads_a_bounded_number_of_rows(history, query, thousands):
    with WORK[connection.vendor]() as work:
        response = history.get(f"{RUNS}?{query}", follow=True)

    assert response.status_code == 200
    assert work.rows <= thousands * 1_000, work.queries


def test_what_an_index_finds_is_found_in_all_of_the_history(history):
    found = {
        query: history.get(f"{RUNS}?{query}").context["cl"].result_count for query in ("task=rare", "status=failed")
    }

    assert found == {"task=rare": ROWS // 40_000, "status=failed": ROWS // 20_000}


def test_the_choices_of_filters_are_not_looked_for_in_history(history):
    with WORK[connection.vendor]() as work:
        history.get(f"{RUNS}?task=unknown")

    assert work.rows < 1_000, work.queries


def test_an_export_reads_hardly_more_than_it_writes_and_says_where_it_was_cut(history):
    with WORK[connection.vendor]() as work:
        response = history.get(f"{RUNS}export/?status=succeeded")
        rows = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode())))[1:]

    assert len(rows) == MOST_EXPORTED + 1
    assert rows[-1] == [f"Cut after the newest {MOST_EXPORTED:,} runs: filter by time for the others"]
    assert [row[6] for row in rows[:-1]] == sorted((row[6] for row in rows[:-1]), reverse=True)
    assert work.rows < 15 * MOST_EXPORTED, work.queries
