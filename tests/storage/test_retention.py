"""What history keeps, and for how long."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from asyncsched.models import LoopStall, Replica, TaskRun, TaskSkip, Term
from asyncsched.storage import retention
from asyncsched.storage.connections import thread_connections
from asyncsched.storage.database_time import database_now
from tests.storage.test_store_contract import NOON


@pytest.fixture(autouse=True)
def connected(database: Any) -> Iterator[None]:
    with thread_connections():
        yield


def add_runs(task: str, *minutes: int, status: str = "succeeded") -> None:
    """Keep runs that started so many minutes after noon."""
    starts = [NOON + timedelta(minutes=minute) for minute in minutes]
    TaskRun.objects.bulk_create(
        [
            TaskRun(run_id=uuid.uuid4(), task=task, status=status, trigger="schedule", scheduled_for=at, started_at=at)
            for at in starts
        ]
    )


def add_skips(*minutes: int) -> None:
    moments = [NOON + timedelta(minutes=minute) for minute in minutes]
    TaskSkip.objects.bulk_create(
        [TaskSkip(task="a", reason="overlap", first_scheduled_for=at, last_scheduled_for=at, count=1) for at in moments]
    )


def add_stalls(*minutes: int) -> None:
    moments = [NOON + timedelta(minutes=minute) for minute in minutes]
    LoopStall.objects.bulk_create(
        [LoopStall(began_at=at, seconds=1.0, replica="here", culprit="task a", where="here") for at in moments]
    )


def add_terms(*minutes: int) -> None:
    """Keep terms, numbered from 1, that began so many minutes after noon."""
    Term.objects.bulk_create(
        [
            Term(term=term, replica="here", since=NOON + timedelta(minutes=minute))
            for term, minute in enumerate(minutes, start=1)
        ]
    )


def terms() -> list[int]:
    return list(Term.objects.order_by("term").values_list("term", flat=True))


def left(task: str = "a") -> list[tuple[int, str]]:
    """Return minute and status of what is kept, oldest first."""
    runs = TaskRun.objects.filter(task=task).order_by("started_at")
    return [(round((run.started_at - NOON).total_seconds() / 60), run.status) for run in runs]


def prune(before: int | None = None, runs: int = 0) -> int:
    moment = None if before is None else NOON + timedelta(minutes=before)
    return retention.prune(before=moment, runs=runs, go_on=lambda _: True)


class TestAge:
    def test_what_is_older_goes_and_the_rest_stays(self) -> None:
        add_runs("a", 0, 1, 2, 3)
        add_skips(0, 1, 2, 3)
        assert prune(before=2) == 4
        assert [minute for minute, _ in left()] == [2, 3]
        assert TaskSkip.objects.count() == 2

    def test_so_do_stalls(self) -> None:
        add_stalls(0, 1, 2, 3)
        assert prune(before=2) == 2
        assert LoopStall.objects.count() == 2

    @pytest.mark.parametrize(
        ("began", "stay"), [((0, 1, 3), [2, 3]), ((0, 1), [2]), ((0, 2, 3), [1, 2, 3]), ((5, 6), [1, 2]), ((), [])]
    )
    def test_and_terms_of_leadership_that_others_had_followed_by_then(
        self, began: tuple[int, ...], stay: list[int]
    ) -> None:
        add_terms(*began)
        assert prune(before=2) == len(began) - len(stay)
        assert terms() == stay

    def test_a_run_that_goes_on_stays(self) -> None:
        add_runs("a", 0, status="running")
        assert prune(before=10) == 0

    def test_all_stays_if_nothing_is_too_old(self) -> None:
        add_runs("a", 0, 1)
        assert prune() == 0

    def test_many_go_batch_by_batch(self) -> None:
        add_runs("a", *range(2 * retention.BATCH + 7))
        assert prune(before=10 * retention.BATCH) == 2 * retention.BATCH + 7


class TestNumber:
    def test_each_task_keeps_its_latest(self) -> None:
        add_runs("a", *range(7))
        add_runs("b", *range(4))
        assert prune(runs=5) == 2
        assert [minute for minute, _ in left("a")] == [2, 3, 4, 5, 6]
        assert len(left("b")) == 4

    def test_of_stalls_so_many_stay_in_all(self) -> None:
        add_stalls(*range(7))
        assert prune(runs=5) == 2
        assert LoopStall.objects.order_by("began_at")[0].began_at == NOON + timedelta(minutes=2)

    def test_successes_go_before_failures(self) -> None:
        add_runs("a", 0, 1, status="failed")
        add_runs("a", *range(2, 10))
        assert prune(runs=5) == 5
        assert left() == [(0, "failed"), (1, "failed"), (7, "succeeded"), (8, "succeeded"), (9, "succeeded")]

    def test_but_half_of_what_may_be_kept_stays_theirs(self) -> None:
        add_runs("a", *range(10))
        add_runs("a", *range(10, 20), status="failed")
        prune(runs=6)
        assert [status for _, status in left()] == ["failed"] * 6  # they are the latest
        add_runs("b", *range(10), status="timed_out")
        add_runs("b", *range(10, 20))
        prune(runs=6)
        assert [minute for minute, _ in left("b")] == [7, 8, 9, 17, 18, 19]

    def test_a_run_that_goes_on_stays(self) -> None:
        add_runs("a", 0, status="running")
        add_runs("a", *range(1, 5))
        prune(runs=2)
        assert left()[0] == (0, "running")

    def test_tasks_that_are_registered_no_more_are_pruned_too(self) -> None:
        for name in ("gone", "Älter", "z"):
            add_runs(name, 0, 1, 2)
        assert prune(runs=1) == 6


def test_it_ends_between_two_batches_when_it_is_told_to() -> None:
    add_runs("a", *range(3 * retention.BATCH))
    heard: list[int] = []

    def go_on(deleted: int) -> bool:
        heard.append(deleted)
        return False

    retention.prune(before=NOON + timedelta(days=9), runs=0, go_on=go_on)
    assert heard == [retention.FIRST_BATCH]
    assert len(left()) == 3 * retention.BATCH - retention.FIRST_BATCH


def test_processes_that_died_more_than_a_day_ago_are_forgotten() -> None:
    now = database_now()
    for name, ago in [("yesterday", timedelta(hours=25)), ("today", timedelta(hours=23)), ("alive", -timedelta(1))]:
        Replica.objects.create(
            replica=name, version="1", tasks={}, started_at=NOON, seen_at=now - ago, expires_at=now - ago
        )
    assert prune() == 1
    assert set(Replica.objects.values_list("replica", flat=True)) == {"today", "alive"}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_question_reads_a_table_or_sorts_it() -> None:
    add_runs("a", *range(20))
    add_runs("a", *range(20, 40), status="failed")
    add_skips(*range(5))
    add_stalls(*range(10))
    with CaptureQueriesContext(connection) as queries:
        prune(before=3, runs=5)
    asked = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    # Of processes there are few; terms are gone through by number, the latest first, until one is old enough.
    asked = [sql for sql in asked if "_replica" not in sql and "_term" not in sql]
    assert len(asked) >= 10
    with connection.cursor() as cursor:
        for sql in asked:
            plan = [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()]
            assert all("INDEX" in step for step in plan if "asyncsched_" in step), plan
            assert not any("ORDER BY" in step for step in plan), plan
