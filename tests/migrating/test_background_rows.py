"""What becomes of a row of django-background-tasks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from asyncsched.migrating import background_tasks
from asyncsched.migrating.background_row import BackgroundRow, translated
from asyncsched.migrating.code import text_of
from asyncsched.migrating.found import Found, LeftOut, NotThere
from asyncsched.policy import Retry
from asyncsched.schedules import Every

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ROW = BackgroundRow(
    name="shop.tasks.refresh",
    source="row 1 of background_task",
    path="shop.tasks:refresh.now",
    args=[],
    kwargs={},
    description="",
    run_at=NOW + timedelta(minutes=7, microseconds=5),
    repeat=3600,
    repeat_until=None,
    queue=None,
    priority=0,
    creator="",
)


def found(row: BackgroundRow) -> Found:
    one = translated(row, now=NOW, max_attempts=25, max_run_time=3600)
    assert isinstance(one, Found)
    return one


def test_its_times_are_the_grid_that_its_next_time_lies_on() -> None:
    assert found(ROW).schedule == Every(3600, offset=420)


def test_it_is_ended_when_another_worker_would_have_begun_it_anew() -> None:
    assert found(ROW).options["timeout"] == 3600


@pytest.mark.parametrize(("repeat", "attempts"), [(5, 1), (20, 2), (3600, 7)])
def test_it_is_tried_as_often_as_before_its_next_time(repeat: int, attempts: int) -> None:
    retry = found(replace(ROW, repeat=repeat)).options.get("retry", Retry())
    assert isinstance(retry, Retry)
    assert retry.attempts == attempts


def test_it_is_never_tried_more_often_than_the_settings_say() -> None:
    one = translated(replace(ROW, repeat=86_400 * 365), now=NOW, max_attempts=4, max_run_time=3600)
    assert isinstance(one, Found)
    assert text_of(one.options["retry"]).startswith("Retry(attempts=4,")


def test_a_week_that_was_missed_is_made_up_for_as_long_as_it_lasts() -> None:
    assert found(replace(ROW, repeat=7 * 86_400)).options["catch_up_window"] == timedelta(days=7)


def test_one_that_begins_later_than_its_times_would_asks_for_that() -> None:
    (condition,) = found(replace(ROW, run_at=NOW + timedelta(days=3))).conditions
    assert condition.words == "not before 2026-03-13 12:00 UTC"


def test_one_that_ends_asks_for_that_and_has_its_last_run_after_the_end_as_it_had() -> None:
    (condition,) = found(replace(ROW, repeat_until=NOW + timedelta(days=1))).conditions
    assert condition.words == "before 2026-03-11 13:00 UTC"


def test_its_arguments_are_given_to_the_function() -> None:
    one = found(replace(ROW, args=["all", 3], kwargs={"again": True}))
    assert one.call.text == 'shop.tasks.refresh.now("all", 3, again=True)'


def test_what_has_no_counterpart_is_remarked() -> None:
    row = replace(ROW, repeat=86_400, queue="mail", priority=3, creator="Ada")
    assert [remark.partition(":")[0] for remark in found(row).remarks] == [
        "Every 1 d is a length of time",
        "It was in the queue 'mail', for a process of its own",
        "It had the priority 3",
        "It belonged to Ada",
    ]


def test_one_that_repeats_too_rarely_is_left_out() -> None:
    one = translated(replace(ROW, repeat=10**9), now=NOW, max_attempts=25, max_run_time=3600)
    assert isinstance(one, LeftOut)
    assert "a year" in one.problem


def test_without_the_package_it_says_where_to_run_it() -> None:
    with pytest.raises(NotThere, match="run this where it still is"):
        background_tasks.read([])


def test_there_is_nothing_to_be_said_of_where() -> None:
    with pytest.raises(NotThere, match="leave out --where"):
        background_tasks.read(["shop.tasks"])
