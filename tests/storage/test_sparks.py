"""What the spark lines are made of: the latest runs of each task."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from asyncsched.models import TaskRun
from asyncsched.storage.sparks import MOST_RUNS, MOST_TASKS, sparks

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def store_run(number, *, task="any", status="succeeded", duration=1.0, lateness=0.0):
    at = NOON + timedelta(minutes=number)
    return TaskRun.objects.create(
        run_id=uuid.uuid4(),
        task=task,
        replica="here",
        scheduled_for=at,
        started_at=at,
        status=status,
        trigger="schedule",
        duration=duration,
        lateness=lateness,
    )


def test_the_latest_sixty_runs_are_told_of_the_oldest_first():
    for number in range(MOST_RUNS + 5):
        store_run(number, duration=float(number))

    assert [bar.duration for bar in sparks(["any"])["any"].bars] == [float(5 + number) for number in range(MOST_RUNS)]


@pytest.mark.parametrize("status", ["failed", "timed_out", "abandoned"])
def test_what_failed_is_marked(status):
    store_run(0)
    store_run(1, status=status)

    assert sparks(["any"])["any"].as_json() == [[1.0, 0], [1.0, 1]]


def test_neither_what_still_runs_nor_what_did_not_take_place_has_a_length():
    store_run(0, duration=2.0)
    store_run(1, status="skipped", duration=0.0)
    running = store_run(2, status="running", duration=None, lateness=None)
    spark = sparks(["any"])["any"]

    assert spark.as_json() == [[2.0, 0]]
    assert (spark.run_id, spark.started_at) == (running.run_id, running.started_at)


def test_a_task_without_runs_has_an_empty_one():
    assert sparks(["never"])["never"].bars == ()


def test_each_task_has_its_own_for_one_query(django_assert_num_queries):
    store_run(0, task="one", duration=1.0)
    store_run(0, task="other", duration=2.0)

    with django_assert_num_queries(2):
        found = sparks(["one", "other"])

    assert (found["one"].as_json(), found["other"].as_json()) == ([[1.0, 0]], [[2.0, 0]])


def test_of_very_many_tasks_only_the_first_have_one():
    assert len(sparks(f"task {number}" for number in range(MOST_TASKS + 20))) == MOST_TASKS
