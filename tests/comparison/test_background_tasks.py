"""What the comparison says of django-background-tasks: its own runner, in virtual time."""

from typing import Any

import pytest

from tests.comparison.findings import findings_of


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return findings_of("background_tasks")


def test_its_worker_sleeps_for_five_seconds_when_there_is_nothing_to_do(found):
    assert found["sleeps_for"] == 5


def test_daily_is_24_hours_and_an_hour_off_after_a_clock_change(found):
    assert found["daily_over_the_spring_change"] == ["27 02:30", "28 02:30", "29 03:30", "30 03:30"]


def test_what_was_missed_runs_once_and_the_next_time_is_on_the_grid(found):
    after = found["after_ten_minutes_down"]
    assert (after["ran"], after["next"]) == (["27 02:30", "27 02:40"], "02:41:00")


def test_each_run_is_a_row(found):
    assert found["after_ten_minutes_down"]["rows"] == 2


def test_a_task_that_fails_is_tried_again_ever_later(found):
    assert found["failing"]["delays"] == [1**4 + 5, 2**4 + 5]


def test_after_the_last_attempt_the_repetition_has_ended_for_good(found):
    assert found["failing"]["runs"] == found["failing"]["attempts allowed"]


def test_a_repetition_that_is_asked_for_at_each_start_is_there_twice_after_two(found):
    assert found["rows_after_two_starts"] == 2


def test_of_two_workers_one_gets_a_task(found):
    assert found["locked_by_two_workers"] == [True, False]


def test_a_task_that_runs_for_an_hour_is_free_to_be_run_a_second_time(found):
    assert found["minutes_after_which_a_locked_task_is_free"] == [61]


def test_an_async_function_is_never_awaited_and_counts_as_a_success(found):
    assert found["of_an_async_function"] == {"ran": [], "succeeded": 1}
