"""Thousands of tasks: what the database is asked for is counted, and nobody waits for all that is kept."""

import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.backends.signals import connection_created
from django.test.utils import CaptureQueriesContext

from asyncsched import Every, History
from asyncsched.engine.runs import Claim, RunStatus
from asyncsched.models import TaskRun, TaskState
from asyncsched.registry import Task
from asyncsched.storage import claims
from asyncsched.storage.backlog import Backlog
from asyncsched.storage.connections import thread_connections
from asyncsched.storage.store import DjangoStore
from asyncsched.storage.writer import MOST_IN_BATCH, SOON, Writer
from tests.engine.conftest import make_task
from tests.storage.conftest import now
from tests.storage.histories import KEPT, RARE, Table, counted_runs, missed, ran, taken
from tests.storage.test_store_contract import NOON, occurrence, result

LATER = timedelta(hours=1)


@pytest.fixture
def writer(sqlite_database: Path) -> Iterator[Writer]:
    """A writer whose database thread is the test's own."""
    with thread_connections():
        yield Writer(replica="here", now=lambda: NOON + LATER)


def some_tasks(count: int) -> list[Task]:
    return [make_task(schedule=Every(2), name=f"task {n}", history=History.SUMMARY) for n in range(count)]


def test_ten_thousand_runs_of_a_minute_are_twenty_five_statements_at_most(writer: Writer) -> None:
    for task in some_tasks(100):
        for number in range(100):
            writer.add(task, ran(task, number / 2))
    with CaptureQueriesContext(connection) as queries:
        writer.write_now()
    assert len(queries) <= 25
    assert TaskRun.objects.filter(count=100).count() == TaskState.objects.filter(runs=100).count() == 100


def test_a_claim_beside_ten_thousand_rows_waits_for_the_outcome_of_its_own_task_only(writer: Writer) -> None:
    first = claims.claim(RARE, occurrence(RARE), replica="here", now=NOON)
    for number in range(10_000):
        writer.add(KEPT, ran(KEPT, number))
    assert isinstance(first, Claim)
    writer.add(RARE, result(first))
    with CaptureQueriesContext(connection) as queries:
        writer.write_outcomes(RARE.name)
    assert len(queries) <= 3
    assert list(TaskRun.objects.values_list("task", "status")) == [("rare", "succeeded")]


def test_between_two_batches_others_have_their_turn(writer: Writer) -> None:
    for number in range(1_000):
        writer.add(KEPT, ran(KEPT, number))
    assert 0 < writer.run_due() <= SOON
    deadline = time.monotonic() + 20
    while not TaskRun.objects.exists() and time.monotonic() < deadline:
        pause = writer.run_due()
    assert 0 < TaskRun.objects.count() <= MOST_IN_BATCH
    assert 0 < pause < SOON


def test_however_many_are_urgent_the_thread_is_called_once(writer: Writer) -> None:
    tasks = some_tasks(3)
    assert [writer.add(task, ran(task, 0)) for task in tasks] == [True, False, False]
    writer.write_now()
    assert writer.add(tasks[0], ran(tasks[0], 2, RunStatus.FAILED))


def test_a_database_that_takes_few_values_in_a_statement_remembers_any_number_of_tasks(writer: Writer) -> None:
    for number in range(100):
        writer.add(KEPT, ran(KEPT, number))
    for task in some_tasks(100):
        writer.add(task, ran(task, 0))
    connection_created.connect(limit_values)
    try:
        connection.close()
        writer.write_now()
    finally:
        connection_created.disconnect(limit_values)
    assert (TaskRun.objects.count(), TaskState.objects.count()) == (200, 101)


async def test_so_it_does_when_it_is_asked_for_them(sqlite_database: Path) -> None:
    connection_created.connect(limit_values)
    try:
        store = DjangoStore(now=now)
        assert await store.load(some_tasks(500)) == {}
        await store.close(5)
    finally:
        connection_created.disconnect(limit_values)


def limit_values(sender: Any, connection: Any, **_: Any) -> None:
    connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 100)


@pytest.fixture
def backlog() -> Backlog:
    return Backlog(replica="here", slow_run=1.0)


def names(backlog: Backlog) -> list[str]:
    return sorted(one.name for one in backlog.take(1_000).standings)


def test_what_happens_while_a_minute_is_written_waits_for_the_next(backlog: Backlog) -> None:
    tasks = some_tasks(3)
    for task in tasks:
        backlog.add(task, ran(task, 0))
        backlog.skip(task, missed(task, 2))
    backlog.take_in()
    backlog.collect()
    written = len(backlog.take(4))
    for task in tasks:
        backlog.add(task, ran(task, 60))
        backlog.skip(task, missed(task, 62))
    backlog.take_in()
    written += len(backlog.take(1_000))
    assert written == 9  # a row, a state and a skip of each
    assert not backlog.has_more
    assert len(taken(backlog)) == 9


def test_one_that_fails_does_not_have_the_states_of_all_written(backlog: Backlog) -> None:
    tasks = some_tasks(3)
    for task in tasks:
        backlog.add(task, ran(task, 0))
    backlog.collect_urgent()
    assert names(backlog) == [task.name for task in tasks]  # of each the first is to be seen soon
    for task in tasks:
        backlog.add(task, ran(task, 2))
    assert backlog.add(tasks[1], ran(tasks[1], 4, RunStatus.FAILED, error="no"))
    backlog.collect_urgent()
    assert names(backlog) == [tasks[1].name]
    backlog.collect()
    assert names(backlog) == [tasks[0].name, tasks[2].name]


def test_nothing_is_lost_or_counted_twice_between_two_threads(backlog: Backlog) -> None:
    tasks = some_tasks(5)
    results = [(task, ran(task, number / 10)) for number in range(1_200) for task in tasks]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    loop = threading.Thread(target=lambda: [backlog.add(*one) for one in results])
    table, runs = Table(), Counter[str]()
    try:
        loop.start()
        while loop.is_alive() or backlog:
            batch = taken(backlog, 3)
            table.write(batch)
            runs.update({one.name: one.runs for one in batch.standings})
    finally:
        sys.setswitchinterval(interval)
        loop.join()
    assert runs == {task.name: 1_200 for task in tasks}
    assert counted_runs(table.records.values()) == {(task.name, "succeeded"): 1_200 for task in tasks}
