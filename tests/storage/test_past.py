"""What history answers, on SQLite and on PostgreSQL."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from asyncsched.engine.runs import SkipReason
from asyncsched.models import TaskRun, TaskSkip
from asyncsched.storage import history
from asyncsched.storage.connections import thread_connections
from tests.storage.test_store_contract import NOON


def run(task: str, minutes: int, status: str = "succeeded", **facts: Any) -> TaskRun:
    at = NOON + timedelta(minutes=minutes)
    return TaskRun(
        run_id=uuid.uuid4(), task=task, status=status, trigger="schedule", scheduled_for=at, started_at=at, **facts
    )


def skip(task: str, minutes: int, reason: str = "overlap", count: int = 1) -> TaskSkip:
    at = NOON + timedelta(minutes=minutes)
    return TaskSkip(task=task, reason=reason, first_scheduled_for=at, last_scheduled_for=at, count=count)


@pytest.fixture(autouse=True)
def past(database: Any) -> Iterator[None]:
    with thread_connections():
        TaskRun.objects.bulk_create(
            [run("a", 1), run("a", 4, "failed", error="no"), run("b", 3), run("a", 2, "skipped"), run("b", 5, "failed")]
        )
        TaskSkip.objects.bulk_create([skip("a", 0, "paused", 7), skip("a", 3), skip("b", 4, count=2), skip("a", 6)])
        yield


def minutes(found: list[history.PastRun]) -> list[float]:
    return [(one.started_at - NOON) / timedelta(minutes=1) for one in found]


class TestRuns:
    def test_the_newest_come_first(self) -> None:
        assert minutes(history.runs(limit=10)) == [5, 4, 3, 2, 1]

    def test_no_more_than_the_limit(self) -> None:
        assert minutes(history.runs(limit=2)) == [5, 4]

    def test_of_a_task_with_a_status_and_since(self) -> None:
        assert minutes(history.runs(task="a", limit=10)) == [4, 2, 1]
        assert minutes(history.runs(status="failed", limit=10)) == [5, 4]
        assert minutes(history.runs(task="a", status="failed", limit=10)) == [4]
        assert minutes(history.runs(since=NOON + timedelta(minutes=3), limit=10)) == [5, 4, 3]

    def test_how_many_share_a_row_is_told(self) -> None:
        run("summed", 7, count=30).save()
        assert [one.count for one in history.runs(limit=2)] == [30, 1]

    def test_a_run_from_before_stalls_were_noted_has_none(self) -> None:
        (found,) = history.runs(task="a", status="failed", limit=1)
        assert (found.stall_seconds, found.stall_where, found.as_json()["stall"]) == (None, "", None)


class TestSkips:
    def test_what_the_predicate_kept_from_running_is_told_once_whether_it_is_a_run_or_a_skip(self) -> None:
        TaskSkip.objects.create(
            task="often", reason="predicate", first_scheduled_for=NOON, last_scheduled_for=NOON, count=30
        )
        found = [(one.task, one.reason, one.count) for one in history.skips(limit=10) if one.reason == "predicate"]
        assert found == [("a", "predicate", 1), ("often", "predicate", 30)]

    def test_the_newest_come_first_up_to_the_limit(self) -> None:
        found = [(one.task, one.reason) for one in history.skips(limit=4)]
        assert found == [("a", "overlap"), ("b", "overlap"), ("a", "overlap"), ("a", "predicate")]

    def test_of_a_task_and_since(self) -> None:
        found = history.skips(task="a", since=NOON + timedelta(minutes=2), limit=10)
        assert [(one.reason, one.count) for one in found] == [("overlap", 1), ("overlap", 1), ("predicate", 1)]

    def test_how_many_there_were_is_counted_over_runs_and_skips(self) -> None:
        assert history.count_skipped("a") == (10, True)
        assert history.count_skipped("a", since=NOON + timedelta(minutes=3)) == (2, True)
        assert history.count_skipped("unheard of") == (0, True)

    def test_a_row_counts_for_all_that_share_it(self) -> None:
        at = NOON + timedelta(minutes=7)
        run("summed", 7, "skipped", count=5, finished_at=at + timedelta(seconds=30)).save()
        assert history.count_skipped("summed") == (5, True)
        (told,) = history.skips(task="summed", limit=5)
        assert (told.count, told.first, told.last) == (5, at, at + timedelta(seconds=30))

    def test_but_no_further_than_is_bearable(self) -> None:
        TaskSkip.objects.bulk_create([skip("many", minutes, count=2) for minutes in range(history.MOST_READ + 5)])
        assert history.count_skipped("many") == (2 * history.MOST_READ, False)


def test_a_task_is_known_by_its_runs_or_by_its_skips() -> None:
    TaskSkip.objects.bulk_create([skip("skipped only", 0)])
    assert [history.is_known(name) for name in ("a", "skipped only", "unheard of")] == [True, True, False]


@pytest.mark.parametrize("reason", SkipReason)
def test_every_reason_has_words(reason: SkipReason) -> None:
    assert " " in history.in_words(reason)


def test_a_reason_from_a_newer_version_is_shown_as_it_is() -> None:
    assert history.in_words("sun_spots") == "sun_spots"


QUESTIONS: dict[str, Callable[[], object]] = {
    "runs": lambda: history.runs(limit=20),
    "of a task": lambda: history.runs(task="a", limit=20),
    "with a status": lambda: history.runs(status="failed", limit=20),
    "of a task with a status": lambda: history.runs(task="a", status="failed", limit=20),
    "of a task since": lambda: history.runs(task="a", since=NOON, limit=20),
    "skips": lambda: history.skips(limit=20),
    "skips of a task": lambda: history.skips(task="a", limit=20),
    "skips of a task since": lambda: history.skips(task="a", since=NOON, limit=20),
    "how many of a task": lambda: history.count_skipped("a"),
    "whether a task is known": lambda: history.is_known("a"),
}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
def test_no_question_reads_a_table_or_sorts_it(ask: Callable[[], object]) -> None:
    with CaptureQueriesContext(connection) as queries:
        ask()
    with connection.cursor() as cursor:
        for query in [query["sql"] for query in queries]:
            plan = [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()]
            reads = [step for step in plan if "asyncsched_" in step]
            assert reads
            assert all(" USING " in step and "INDEX" in step for step in reads), plan
            assert not any("ORDER BY" in step for step in plan), plan
