"""When history is written, how a task's state is kept, and what an answer that got lost costs: nothing."""

import logging
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from asyncsched import Every, History
from asyncsched.engine.runs import Claim, RunStatus, Settled, Trigger
from asyncsched.models import TaskRun, TaskState
from asyncsched.storage.connections import thread_connections
from asyncsched.storage.store import DjangoStore
from asyncsched.storage.writer import LATER, SOON, Writer
from tests.engine.conftest import make_task
from tests.storage.conftest import now
from tests.storage.histories import KEPT, RARE, SUMMED, missed, ran
from tests.storage.test_store_contract import NOON, occurrence
from tests.support.databases import default_database
from tests.support.postgres import Postgres


@pytest.fixture
def writer(database: Any) -> Iterator[Writer]:
    """A writer whose database thread is the test's own. For it, it is twenty past noon and twenty seconds."""
    with thread_connections():
        yield make_writer()


def make_writer(at: Callable[[], datetime] = lambda: NOON + timedelta(minutes=20, seconds=20), **facts: Any) -> Writer:
    return Writer(replica="here", now=at, **facts)


def statuses() -> list[tuple[str, int]]:
    return list(TaskRun.objects.order_by("scheduled_for").values_list("status", "count"))


class TestWhen:
    def test_what_nobody_waits_for_is_written_when_the_minute_is_over(self, writer: Writer) -> None:
        writer.add(SUMMED, ran(SUMMED, 0))
        writer.write_now()
        writer.add(SUMMED, ran(SUMMED, 2))
        writer.skip(SUMMED, missed(SUMMED, 4))
        assert 40 < writer.run_due() <= 41
        assert LATER <= 61

    @pytest.mark.parametrize(
        "facts", [{"status": RunStatus.FAILED}, {"duration": 1.5}, {"status": RunStatus.CANCELLED}], ids=str
    )
    def test_what_is_worth_a_look_is_written_soon(self, writer: Writer, facts: dict[str, Any]) -> None:
        writer.add(SUMMED, ran(SUMMED, 0))
        writer.write_now()
        assert writer.add(SUMMED, ran(SUMMED, 2, **facts))
        assert writer.run_due() <= SOON

    def test_a_minute_of_ten_tasks_is_one_small_transaction(self, writer: Writer) -> None:
        tasks = [make_task(schedule=Every(2), name=f"task {n}", history=History.SUMMARY) for n in range(10)]
        for task in tasks:
            writer.add(task, ran(task, 0))
        writer.write_now()
        for task in tasks:
            for at in range(60, 120, 2):
                writer.add(task, ran(task, at))
            writer.skip(task, missed(task, 61))
        with CaptureQueriesContext(connection) as queries:
            writer.write_now()
        said = [query["sql"].split()[0] for query in queries]
        assert said.count("BEGIN") <= 1  # SQLite says it, psycopg does not
        assert len([word for word in said if word in ("INSERT", "UPDATE")]) <= 6
        assert TaskRun.objects.filter(count=30).count() == 10

    def test_the_minute_that_goes_on_waits_and_is_written_at_the_end(self, database: Any) -> None:
        with thread_connections():
            writer = make_writer(lambda: NOON + timedelta(seconds=30))
            for at in (0, 2):
                writer.add(SUMMED, ran(SUMMED, at))
            writer.write_now()
            assert statuses() == []
            assert 30 < writer.run_due() <= 31
            writer.finish(time.monotonic() + 5)
            assert statuses() == [("succeeded", 2)]

    def test_a_minute_that_grows_after_it_was_written_is_told_in_two_rows(self, writer: Writer) -> None:
        for at in (0, 2, 4):
            writer.add(SUMMED, ran(SUMMED, at))
            writer.write_now()
        assert statuses() == [("succeeded", 1)] * 3
        assert sum(count for _, count in statuses()) == TaskState.objects.get().runs == 3

    def test_how_slow_is_slow_is_a_setting(self, database: Any) -> None:
        with thread_connections():
            writer = make_writer(slow_run=5.0)
            for at in (0, 2):
                writer.add(SUMMED, ran(SUMMED, at, duration=4.0))
            writer.write_now()
            assert statuses() == [("succeeded", 2)]


class TestState:
    def test_it_counts_runs_and_failures(self, writer: Writer) -> None:
        for at, status in enumerate([RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.TIMED_OUT, RunStatus.SKIPPED]):
            writer.add(KEPT, ran(KEPT, at, status))
        writer.write_now()
        writer.add(KEPT, ran(KEPT, 60))
        writer.write_now()
        state = TaskState.objects.get()
        assert (state.runs, state.failures, state.last_status) == (4, 2, "succeeded")

    def test_several_processes_count_together(self, writer: Writer) -> None:
        for one, at in [(writer, 0), (make_writer(), 2), (writer, 4)]:
            one.add(KEPT, ran(KEPT, at))
            one.write_now()
        assert TaskState.objects.get().runs == 3

    def test_it_tells_the_next_run_if_the_task_is_enabled(self, writer: Writer) -> None:
        disabled = make_task(schedule=Every(3600), name="disabled", enabled=False)
        writer.add(RARE, ran(RARE, 0))
        writer.add(disabled, Settled(task="disabled", until=NOON))
        writer.write_now()
        found = dict(TaskState.objects.values_list("task", "next_run_at"))
        assert found == {"rare": NOON + timedelta(hours=1), "disabled": None}

    def test_last_success_survives_failures(self, writer: Writer) -> None:
        writer.add(KEPT, ran(KEPT, 0))
        writer.write_now()
        writer.add(KEPT, ran(KEPT, 2, RunStatus.FAILED))
        writer.write_now()
        state = TaskState.objects.get()
        assert (state.last_status, state.last_success_at) == ("failed", NOON + timedelta(milliseconds=10))

    def test_that_it_was_not_enabled_survives_failures_and_ends_what_was_told_of_it(self, writer: Writer) -> None:
        TaskState.objects.create(task=KEPT.name, alerted_at=NOON)
        writer.add(KEPT, ran(KEPT, 0, RunStatus.SKIPPED))
        writer.add(KEPT, ran(KEPT, 2, RunStatus.FAILED))
        writer.write_now()
        state = TaskState.objects.get()
        assert (state.last_status, state.alerted_at) == ("failed", None)
        assert state.excused_until == NOON + timedelta(milliseconds=10)


@pytest.mark.parametrize("term", [7, None])
def test_a_run_tells_the_term_in_which_it_began(writer: Writer, term: int | None) -> None:
    writer.add(SUMMED, ran(SUMMED, 0, RunStatus.FAILED, term=term))
    writer.write_now()
    assert TaskRun.objects.get().term == term


async def test_a_run_by_hand_of_a_task_below_a_minute_keeps_its_own_row(database: Any) -> None:
    store = DjangoStore(now=now)
    claim = await store.claim(SUMMED, occurrence(SUMMED, trigger=Trigger.MANUAL))
    assert isinstance(claim, Claim)
    assert claim.has_row
    await store.close(5)


class TestOutage:
    """The database is away."""

    def test_all_that_happened_is_written_in_sum_when_there_is_too_much(
        self, database: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        writer = make_writer(most_kept=100)
        with thread_connections():
            with nowhere(tmp_path):
                for at in range(0, 2_000, 2):
                    failed = at % 20 == 0
                    status = RunStatus.FAILED if failed else RunStatus.SUCCEEDED
                    writer.add(KEPT, ran(KEPT, at, status, error="no" if failed else None))
                    writer.skip(SUMMED, missed(SUMMED, at))
                    if at % 100 == 0:
                        writer.write_now()
            writer.write_now()
            counts = {"succeeded": 0, "failed": 0}
            for status, count in statuses():
                counts[status] += count
            assert counts == {"succeeded": 900, "failed": 100}
            assert len(statuses()) <= 100
            state = TaskState.objects.get()
            assert (state.runs, state.failures) == (1_000, 100)
        said = [record.getMessage() for record in caplog.records if "summed up" in record.getMessage()]
        assert (
            said[0] == "history: more than 100 rows wait for the database; ordinary runs of each minute are summed up"
        )
        assert len(said) == len(set(said))

    def test_what_cannot_be_written_in_the_end_is_said(
        self, database: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        writer = make_writer()
        with thread_connections(), nowhere(tmp_path):
            for at in (0, 2):
                writer.add(SUMMED, ran(SUMMED, at))
            writer.skip(SUMMED, missed(SUMMED, 4, count=5))
            writer.finish(time.monotonic())
        lost = "history: the last 2 runs and 5 skips could not be written and are lost"
        assert lost in [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


class TestLostAnswer:
    """PostgreSQL has committed, and the connection breaks before it can say so."""

    @pytest.mark.parametrize("policy", [History.SUMMARY, History.NONE], ids=str)
    def test_nothing_is_counted_twice(self, postgres_database: Postgres, policy: History) -> None:
        task = make_task(schedule=Every(2), name="often", history=policy)
        writer = make_writer()
        with answers_lost(postgres_database.port) as port:
            url = postgres_database.url("migrated").replace(str(postgres_database.port), str(port))
            with default_database(url, migrate=False):
                writer.add(task, ran(task, 0))
                writer.add(task, ran(task, 2, RunStatus.FAILED, error="no"))
                writer.skip(task, missed(task, 4))
                writer.write_now()
        with thread_connections():
            assert TaskState.objects.get().runs == 2  # it is there, and the writer does not know
            writer.add(task, ran(task, 6))
            writer.write_now()
            state = TaskState.objects.get()
            assert (state.runs, state.failures) == (3, 1)
            assert sum(count for _, count in statuses()) == (3 if policy is History.SUMMARY else 0)

    def test_what_was_not_committed_is_written_again(self, postgres_database: Postgres) -> None:
        writer = make_writer()
        with answers_lost(postgres_database.port, on=b"INSERT") as port:
            url = postgres_database.url("migrated").replace(str(postgres_database.port), str(port))
            with default_database(url, migrate=False):
                writer.add(KEPT, ran(KEPT, 0))
                writer.write_now()
        with thread_connections():
            assert not TaskState.objects.exists()
            writer.write_now()
            assert (TaskState.objects.get().runs, statuses()) == (1, [("succeeded", 1)])


@contextmanager
def answers_lost(port: int, on: bytes = b"COMMIT") -> Iterator[int]:
    """Stand between client and server; when the server has answered the first *on*, hang up on both."""
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_forward, args=(listener, port, on))
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _forward(listener: socket.socket, port: int, on: bytes) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client, socket.create_connection(("127.0.0.1", port)) as server:
            _until_answered(client, server, on)


def _until_answered(client: socket.socket, server: socket.socket, on: bytes) -> None:
    asked = False
    while True:
        for ready in select.select([client, server], [], [])[0]:
            data = ready.recv(65_536)
            if not data or (asked and ready is server):
                return
            asked = asked or (ready is client and on in data)
            (server if ready is client else client).sendall(data)


def nowhere(tmp_path: Path) -> Any:
    """A database that cannot be opened."""
    return default_database(f"sqlite:///{tmp_path / 'missing' / 'db.sqlite3'}", migrate=False)
