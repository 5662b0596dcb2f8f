"""What the timeline and the pages of runs read, on SQLite, PostgreSQL and MariaDB."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from asyncsched.models import LoopStall, TaskRun, TaskSkip, TaskState
from asyncsched.storage import one_run, one_task, paging, timeline
from asyncsched.storage.connections import thread_connections
from tests.storage.test_store_contract import NOON

HOUR = timedelta(hours=1)


def run(task: str, minutes: float, status: str = "succeeded", *, lasts: float = 1, **facts: Any) -> TaskRun:
    """A run that began *minutes* after noon and *lasts* so many minutes, unless it is still running."""
    at = NOON + timedelta(minutes=minutes)
    ended = None if status == "running" else at + timedelta(minutes=lasts)
    return TaskRun(
        **{"run_id": uuid.uuid4(), "trigger": "schedule", "scheduled_for": at, "started_at": at, "finished_at": ended}
        | {"task": task, "status": status}
        | facts
    )


@pytest.fixture(autouse=True)
def connected(database: Any) -> Iterator[None]:
    with thread_connections():
        yield


def began(found: tuple[Any, ...]) -> list[float]:
    return [(one.started_at - NOON) / timedelta(minutes=1) for one in found]


class TestWhatHappenedLately:
    def test_runs_that_began_since_then_are_there_newest_first(self) -> None:
        TaskRun.objects.bulk_create([run("a", -1), run("a", 0), run("b", 5, "failed", error="no route"), run("a", 3)])

        found = timeline.past(NOON)

        assert began(found.runs) == [5, 3, 0]
        assert (found.runs[0].status, found.runs[0].error_start) == ("failed", "no route")
        assert (found.is_complete, found.runs_since) == (True, NOON)

    def test_a_long_run_that_still_goes_on_is_there_too(self) -> None:
        TaskRun.objects.bulk_create([run("long", -90, "running"), run("long", -200)])

        assert began(timeline.past(NOON).runs) == [-90]

    def test_so_is_one_that_ended_since_if_it_is_the_last_of_its_task(self) -> None:
        long = run("long", -90, lasts=100)
        long.save()
        TaskState.objects.create(task="long", last_started_at=long.started_at, last_finished_at=long.finished_at)

        assert began(timeline.past(NOON).runs) == [-90]

    def test_of_an_error_there_is_no_more_than_its_start(self) -> None:
        run("a", 1, "failed", error="x" * 10_000).save()

        assert timeline.past(NOON).runs[0].error_start == "x" * timeline.ERROR_START

    def test_of_too_many_runs_the_latest_are_there_and_since_when_is_told(self) -> None:
        TaskRun.objects.bulk_create([run("a", n / 60) for n in range(timeline.MOST_RUNS + 10)])

        found = timeline.past(NOON)

        assert len(found.runs) == timeline.MOST_RUNS
        assert not found.is_complete
        assert found.runs_since == min(one.started_at for one in found.runs) > NOON

    def test_skips_stalls_and_pauses_are_there(self) -> None:
        moments = {"first_scheduled_for": NOON, "last_scheduled_for": NOON + timedelta(minutes=1)}
        TaskSkip.objects.create(task="a", reason="overlap", count=3, **moments)
        stall = {"seconds": 1.5, "replica": "host:1:x", "culprit": "task a", "where": "tasks.py:1 (a)"}
        LoopStall.objects.create(began_at=NOON + timedelta(minutes=2), **stall)
        LoopStall.objects.create(began_at=NOON - timedelta(minutes=2), **stall)
        TaskState.objects.create(task="a", paused=True)
        TaskState.objects.create(task="b")

        found = timeline.past(NOON)

        assert [(one.task, one.reason, one.count) for one in found.skips] == [("a", "overlap", 3)]
        assert [(one.culprit, one.seconds) for one in found.stalls] == [("task a", 1.5)]
        assert found.paused == {"a"}


class TestPages:
    def test_a_page_ends_where_the_next_begins(self) -> None:
        TaskRun.objects.bulk_create([run("a", n) for n in range(5)] + [run("b", 9)])

        first = paging.page("a", limit=2)
        second = paging.page("a", behind=first.older, limit=2)
        last = paging.page("a", behind=second.older, limit=2)

        assert [began(page.runs) for page in (first, second, last)] == [[4, 3], [2, 1], [0]]
        assert last.older is None

    def test_runs_that_began_in_the_same_instant_are_all_shown_once(self) -> None:
        TaskRun.objects.bulk_create([run("a", 1, claimant=f"process {n}") for n in range(5)] + [run("a", 0)])
        seen, place = [], None
        for _ in range(3):
            page = paging.page("a", behind=place, limit=2)
            seen += [one.run_id for one in page.runs]
            place = page.older

        assert (len(set(seen)), len(seen), place) == (6, 6, None)

    def test_a_place_survives_the_way_through_an_address(self) -> None:
        place = paging.Cursor(started_at=NOON + timedelta(microseconds=1), pk=7)

        assert paging.Cursor.of(place.text) == place

    @pytest.mark.parametrize("text", ["", "x", "1", "-1-1", "1-x", "9" * 30 + "-1", "1-" + "9" * 30, "1-1; DROP TABLE"])
    def test_what_names_no_place_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="no place"):
            paging.Cursor.of(text)


class TestOneRun:
    def test_its_neighbours_are_those_of_its_task(self) -> None:
        before, it, after = run("a", 1), run("a", 2, traceback="Traceback", log="a line\n"), run("a", 3)
        TaskRun.objects.bulk_create([run("a", 0), before, run("b", 1.5), it, run("b", 2.5), after, run("a", 4)])

        found = one_run.detail(it.run_id)

        assert found is not None
        assert (found.previous, found.following) == (before.run_id, after.run_id)
        assert (found.traceback, found.log) == ("Traceback", "a line\n")

    def test_its_attempts_are_those_of_its_occurrence_in_order(self) -> None:
        same = {"scheduled_for": NOON}
        TaskRun.objects.bulk_create([run("a", 2, attempt=2, **same), run("a", 0, "failed", **same), run("a", 5)])
        it = TaskRun.objects.get(attempt=2)

        found = one_run.detail(it.run_id)

        assert found is not None
        assert [(one.attempt, one.status) for one in found.attempts] == [(1, "failed"), (2, "succeeded")]

    def test_one_that_is_gone_is_none(self) -> None:
        assert one_run.detail(uuid.uuid4()) is None


def asked(name: str, minutes: float) -> None:
    TaskState.objects.create(task=name, run_asked_at=NOON + timedelta(minutes=minutes), run_asked_by="anna")


def test_a_run_that_was_asked_for_is_told_of_while_it_may_still_begin() -> None:
    asked("lately", -1)
    asked("long ago", -60)

    found = [one_task.detail(n, now=NOON, behind=None, most_runs=1, most_skips=1) for n in ("lately", "long ago")]

    assert [one.asked_at for one in found] == [NOON - timedelta(minutes=1), None]


PLACE = paging.Cursor(started_at=NOON, pk=5)
QUESTIONS: dict[str, Callable[[], object]] = {
    "what happened lately": lambda: timeline.past(NOON),
    "a page": lambda: paging.page("a", limit=5),
    "an older page": lambda: paging.page("a", behind=PLACE, limit=5),
    "a run": lambda: one_run.detail(TaskRun.objects.values_list("run_id", flat=True)[0]),
    "a task": lambda: one_task.detail("a", now=NOON, behind=PLACE, most_runs=5, most_skips=5),
}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
def test_no_question_reads_history_to_its_end_or_sorts_it(ask: Callable[[], object]) -> None:
    TaskRun.objects.bulk_create([run("a", n, "running" if n < 0 else "succeeded") for n in range(-3, 9)])
    long = [run(name, -90 - n, lasts=120) for n, name in enumerate("bcd")]
    TaskState.objects.bulk_create(
        TaskState(task=one.task, last_started_at=one.started_at, last_finished_at=one.finished_at) for one in long
    )
    with CaptureQueriesContext(connection) as queries:
        ask()
    with connection.cursor() as cursor:
        for query in [query["sql"] for query in queries]:
            if "asyncsched_taskstate" in query:
                continue  # a row for each task, and no more
            plan = [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()]
            assert all(" USING " in step and "INDEX" in step for step in plan if "asyncsched_" in step), (query, plan)
            small = 'ORDER BY "asyncsched_taskrun"."attempt"' in query  # the attempts of one occurrence
            assert small or not any("ORDER BY" in step for step in plan), (query, plan)
