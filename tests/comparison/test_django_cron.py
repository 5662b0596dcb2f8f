"""What the comparison says of django-cron: its own `runcrons`, called every ten minutes of virtual time."""

from typing import Any

import pytest

from tests.comparison.findings import findings_of
from tests.support.programs import python_of


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return findings_of("django_cron_jobs", python_of(".venv-django-cron"))


def test_its_schedules_know_no_seconds(found):
    assert "unexpected keyword argument 'run_every_seconds'" in found["seconds"]


def test_an_interval_counts_from_the_last_start_and_ends_at_the_next_call(found):
    assert found["every_half_hour"] == ["10 00:00", "10 00:40", "10 01:20"]


def test_a_time_that_spring_leaves_out_runs_once_after_it(found):
    assert found["spring"] == ["29 03:00"]


def test_a_time_that_comes_twice_in_autumn_runs_once(found):
    assert found["autumn"] == ["25 02:30"]


def test_a_time_that_was_missed_is_made_up_for_until_midnight(found):
    assert (found["down_until_nine"], found["down_past_midnight"]) == (["10 09:00"], [])


def test_a_job_that_raises_is_logged_and_tried_again_at_the_next_call_and_the_others_run(found):
    assert found["beside_a_failure"]["ran"] == ["fails 10 02:30", "10 02:30", "fails 10 02:40"]


def test_each_run_is_a_row(found):
    assert found["beside_a_failure"]["rows"] == [["fails", False], ["nightly", True], ["fails", False]]


def test_a_job_that_takes_an_hour_holds_up_those_after_it(found):
    assert found["after_a_job_of_an_hour"] == ["10 03:30"]


def test_a_process_that_is_killed_leaves_a_lock_for_a_day(found):
    assert found["after_a_kill"] == ["11 13:00"]


def test_an_async_function_is_never_awaited(found):
    assert found["asynchronous"] == []
