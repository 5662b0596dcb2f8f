"""Why occurrences did not run, as rows, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from asyncsched import Every, History, Scope
from asyncsched.engine.runs import Claim, RunResult, RunStatus, Settled, SkipReason, Stall
from asyncsched.models import TaskRun, TaskSkip, TaskState
from asyncsched.registry import Task
from asyncsched.storage.connections import thread_connections
from asyncsched.storage.store import DjangoStore
from asyncsched.storage.writer import LATER, MOST_KEPT, SOON, Writer
from tests.engine.conftest import make_task
from tests.storage.conftest import now
from tests.storage.test_history import rows
from tests.storage.test_store_contract import HOURLY, NOON, occurrence, result, skipped
from tests.support.databases import default_database

OFTEN = make_task(schedule=Every(2), name="often", history=History.FAILURES)
STALL = Stall(culprit="task often", where="shop/tasks.py:12 (often)", stack="", began_at=NOON, seconds=0.4)


def make_writer(replica: str = "here") -> Writer:
    return Writer(replica=replica, now=now)


@pytest.fixture
def writer(database: Any) -> Iterator[Writer]:
    """A writer whose database thread is the test's own."""
    with thread_connections():
        yield make_writer()


def kept() -> list[tuple[str, str, float, float, int]]:
    """Return task, reason, seconds after noon of the first and the last, and count of what is kept."""
    return [
        (
            row.task,
            row.reason,
            (row.first_scheduled_for - NOON).total_seconds(),
            (row.last_scheduled_for - NOON).total_seconds(),
            row.count,
        )
        for row in TaskSkip.objects.order_by("first_scheduled_for", "task", "reason")
    ]


def skip(writer: Writer, task: Task, *seconds: float, reason: SkipReason = SkipReason.OVERLAP) -> None:
    for moment in seconds:
        writer.skip(task, skipped(task, reason, moment))


class TestBelowAMinute:
    def test_what_was_skipped_within_a_minute_for_a_reason_is_one_row(self, writer: Writer) -> None:
        skip(writer, OFTEN, 0, 2, 4)
        skip(writer, OFTEN, 58, 60, 62)
        skip(writer, OFTEN, 64, reason=SkipReason.PAUSED)
        writer.write_now()
        assert kept() == [
            ("often", "overlap", 0, 58, 4),
            ("often", "overlap", 60, 62, 2),
            ("often", "paused", 64, 64, 1),
        ]

    def test_the_row_of_a_minute_grows_after_it_has_been_written(self, writer: Writer) -> None:
        for seconds in (0, 2, 4):
            skip(writer, OFTEN, seconds)
            writer.write_now()
        assert kept() == [("often", "overlap", 0, 4, 3)]

    def test_several_at_once_count_as_many(self, writer: Writer) -> None:
        first = NOON - timedelta(minutes=10)
        writer.skip(OFTEN, skipped(OFTEN, SkipReason.PAUSED, 0, count=300, first=first))
        skip(writer, OFTEN, 2, reason=SkipReason.PAUSED)
        writer.write_now()
        assert kept() == [("often", "paused", -600, 2, 301)]

    def test_each_process_tells_of_its_own(self, writer: Writer) -> None:
        for one in (writer, make_writer("there")):
            skip(one, OFTEN, 0, 2)
            one.write_now()
        assert kept() == [("often", "overlap", 0, 2, 2)] * 2

    def test_it_waits_to_be_written_with_the_rest(self, writer: Writer) -> None:
        assert not writer.skip(OFTEN, skipped(OFTEN))
        assert SOON < writer.run_due() <= LATER
        assert kept() == []


class TestFromAMinuteUp:
    def test_each_event_is_a_row(self, writer: Writer) -> None:
        skip(writer, HOURLY, 0, 10)
        writer.write_now()
        assert kept() == [("hourly", "overlap", 0, 0, 1), ("hourly", "overlap", 10, 10, 1)]

    def test_it_is_written_soon(self, writer: Writer) -> None:
        assert writer.skip(HOURLY, skipped(HOURLY))
        assert writer.run_due() <= SOON

    def test_processes_that_tell_of_the_same_occurrence_make_one_row(self, writer: Writer) -> None:
        for one in (writer, make_writer("there")):
            skip(one, HOURLY, 0)
            one.write_now()
        assert kept() == [("hourly", "overlap", 0, 0, 1)]

    def test_unless_each_of_them_has_runs_of_its_own(self, writer: Writer) -> None:
        task = make_task(schedule=Every(3600), name="hourly", scope=Scope.REPLICA)
        for one in (writer, make_writer("there")):
            skip(one, task, 0)
            one.write_now()
        assert len(kept()) == 2


class TestWhatIsNotKept:
    def test_that_another_process_took_the_occurrence(self, writer: Writer) -> None:
        skip(writer, HOURLY, 0, reason=SkipReason.CLAIMED)
        writer.write_now()
        assert kept() == []

    @pytest.mark.parametrize(
        ("task", "count"),
        [(HOURLY, 0), (make_task(schedule=Every(2), history=History.ALL), 0), (OFTEN, 1)],
        ids=["claimed", "with a row per run", "with rows of failures"],
    )
    def test_that_the_predicate_said_no_if_the_run_has_a_row_that_says_so(
        self, writer: Writer, task: Task, count: int
    ) -> None:
        skip(writer, task, 0, reason=SkipReason.PREDICATE)
        writer.write_now()
        assert len(kept()) == count


def test_a_task_that_is_not_registered_here_leaves_its_row(writer: Writer) -> None:
    assert writer.skip(None, skipped("gone", SkipReason.UNKNOWN_TASK))
    writer.write_now()
    assert kept() == [("gone", "unknown_task", 0, 0, 1)]


def test_a_skip_that_the_database_refuses_costs_only_itself(writer: Writer) -> None:
    writer.skip(HOURLY, skipped(HOURLY, count=-1))
    skip(writer, HOURLY, 10)
    writer.add(HOURLY, Settled(task="hourly", until=NOON))
    writer.write_now()
    assert kept() == [("hourly", "overlap", 10, 10, 1)]
    assert TaskState.objects.get().cursor == NOON


class TestOutage:
    """The database is away for a while."""

    def test_what_did_not_run_is_kept_and_written_afterwards(self, writer: Writer, tmp_path: Path) -> None:
        skip(writer, OFTEN, 0, 2)
        with nowhere(tmp_path):
            writer.write_now()
            skip(writer, OFTEN, 4, 60)
            skip(writer, HOURLY, 5)
            writer.write_now()
        writer.write_now()
        assert kept() == [
            ("often", "overlap", 0, 4, 3),
            ("hourly", "overlap", 5, 5, 1),
            ("often", "overlap", 60, 60, 1),
        ]

    def test_it_is_summed_up_before_any_failure_when_there_is_too_much(self, writer: Writer, tmp_path: Path) -> None:
        for hours in range(3):
            writer.add(OFTEN, run_of(OFTEN, hours, error="no"))
        skip(writer, HOURLY, *range(MOST_KEPT))
        with nowhere(tmp_path):
            writer.write_now()
        writer.write_now()
        assert TaskRun.objects.count() == 3
        assert sum(count for *_, count in kept()) == MOST_KEPT
        assert len(kept()) < MOST_KEPT - 3


class TestStall:
    """A run that blocked the event loop."""

    def test_it_has_a_row_although_it_succeeded(self, writer: Writer) -> None:
        assert writer.add(OFTEN, run_of(OFTEN, 0))  # the first of each task is urgent
        writer.write_now()
        assert not writer.add(OFTEN, run_of(OFTEN, 1))
        assert writer.add(OFTEN, run_of(OFTEN, 2, stall=STALL))
        writer.write_now()
        (row,) = TaskRun.objects.all()
        assert (row.status, row.stall_seconds, row.stall_where) == ("succeeded", 0.4, "shop/tasks.py:12 (often)")

    def test_not_if_no_run_of_the_task_is_to_have_one(self, writer: Writer) -> None:
        task = make_task(schedule=Every(2), history=History.NONE)
        writer.add(task, run_of(task, 0, stall=STALL))
        writer.write_now()
        assert not TaskRun.objects.exists()

    async def test_a_claimed_row_is_told_too(self, database: Any) -> None:
        store = DjangoStore(now=now)
        claim = await store.claim(HOURLY, occurrence())
        assert isinstance(claim, Claim)
        store.record(result(claim, stall=STALL))
        await store.close(5)
        (row,) = await rows()
        assert (row.stall_seconds, row.stall_where) == (0.4, "shop/tasks.py:12 (often)")


def run_of(task: Task, hours: int, **facts: Any) -> RunResult:
    claim = Claim(run_id=f"{hours:032x}", occurrence=occurrence(task, hours))
    return result(claim, RunStatus.FAILED if "error" in facts else RunStatus.SUCCEEDED, **facts)


def nowhere(tmp_path: Path) -> Any:
    """A database that cannot be opened."""
    return default_database(f"sqlite:///{tmp_path / 'missing' / 'db.sqlite3'}", migrate=False)
