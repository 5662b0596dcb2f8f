"""When a task counts as overdue: every case, without a scheduler."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

import pytest

from asyncsched import Cron, DailyAt, Every, Retry
from asyncsched.engine.overdue import LONGEST, SHORTEST, WRITTEN_WITHIN, Record, default_window, due, overdue_since
from asyncsched.policy import CatchUp, Options
from asyncsched.registry import Task
from asyncsched.schedules import Schedule
from tests.engine.conftest import make_task

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SECOND = timedelta(seconds=1)
NIGHTLY = DailyAt(hour=3, tz="UTC")
THREE = datetime(2026, 11, 23, 3, tzinfo=UTC)


def task(schedule: Schedule = Every(600), **options: Any) -> Task:
    return make_task(schedule=schedule, **options)


def succeeded(at: datetime, **facts: Any) -> Record:
    """A task that has succeeded once, and a process that has been up since long before."""
    return Record(**{"last_success_at": at, "up_since": at - 30 * DAY, "is_up": True} | facts)


def assert_overdue_from(task: Task, record: Record, moment: datetime) -> None:
    """It is in time up to *moment*, and overdue right after it."""
    assert overdue_since(task, record, moment) is None
    assert overdue_since(task, record, moment + SECOND) == moment


def test_the_occurrence_after_the_last_success_is_to_succeed_within_alert_after() -> None:
    assert_overdue_from(task(alert_after=60), succeeded(NOON), NOON + 10 * MINUTE + MINUTE)


def test_a_success_starts_the_clock_again() -> None:
    later = NOON + 11 * MINUTE
    assert overdue_since(task(alert_after=60), succeeded(NOON + 10 * MINUTE), later + SECOND) is None


def test_a_task_with_an_infinite_window_is_never_overdue() -> None:
    assert overdue_since(task(alert_after=inf), succeeded(NOON), NOON + 5000 * DAY) is None


def test_a_window_of_more_than_all_time_is_as_good_as_infinite() -> None:
    assert overdue_since(task(alert_after=1e300), succeeded(NOON), NOON + 5000 * DAY) is None


def test_a_nightly_task_is_given_until_the_next_night() -> None:
    assert_overdue_from(task(NIGHTLY, alert_after=1800), succeeded(THREE + MINUTE), THREE + DAY + 30 * MINUTE)


def test_office_hours_end_and_nobody_waits_over_the_weekend() -> None:
    friday = datetime(2026, 11, 27, 18, 45, tzinfo=UTC)
    monday = datetime(2026, 11, 30, 8, tzinfo=UTC)
    assert_overdue_from(
        task(Cron("*/15 8-18 * * MON-FRI", tz="UTC"), alert_after=60), succeeded(friday), monday + MINUTE
    )


def test_what_takes_hours_may_take_so_long_again() -> None:
    record = succeeded(THREE + 4 * HOUR, took=4 * 3600.0)
    assert_overdue_from(task(NIGHTLY, alert_after=1800), record, THREE + DAY + 4 * HOUR + 30 * MINUTE)


def test_jitter_is_waited_for() -> None:
    assert_overdue_from(task(Every(600, jitter=120), alert_after=60), succeeded(NOON), NOON + 13 * MINUTE)


@pytest.mark.parametrize(
    "record",
    [succeeded(NOON - MINUTE), succeeded(NOON - DAY, excused_until=NOON - MINUTE)],
    ids=["succeeded", "resumed"],
)
def test_what_jitter_let_run_before_its_instant_is_not_expected_again(record: Record) -> None:
    assert_overdue_from(task(Every(600, jitter=120), alert_after=60), record, NOON + 13 * MINUTE)


def test_nor_is_what_was_due_before_the_start() -> None:
    jittery = task(Every(600, jitter=120), alert_after=60, catch_up=CatchUp.NONE)
    assert_overdue_from(jittery, succeeded(NOON - DAY, up_since=NOON - MINUTE), NOON + 13 * MINUTE)


def test_a_task_below_a_minute_is_given_the_time_in_which_its_state_is_written() -> None:
    until = NOON + timedelta(seconds=2 + 30 + WRITTEN_WITHIN)
    assert_overdue_from(task(Every(2), alert_after=30), succeeded(NOON), until)


# Never a success yet


def test_a_task_that_never_succeeded_is_expected_to_from_when_a_process_came_up() -> None:
    assert_overdue_from(task(alert_after=60), Record(up_since=NOON, is_up=True), NOON + 11 * MINUTE)


def test_it_is_still_expected_to_when_that_process_has_died() -> None:
    assert_overdue_from(task(alert_after=60), Record(up_since=NOON, is_up=False), NOON + 11 * MINUTE)


def test_where_no_process_ever_came_up_nothing_is_expected() -> None:
    assert due(task(), Record(), NOON) is None


def test_a_schedule_that_has_come_to_its_end_expects_nothing() -> None:
    last = datetime(9997, 1, 1, tzinfo=UTC)
    assert due(task(Cron("0 0 29 2 *", tz="UTC")), Record(last_success_at=last), last) is None


# Nobody was up


def test_after_downtime_a_task_that_catches_up_has_its_window_from_the_start_on() -> None:
    record = succeeded(NOON - 5 * HOUR, up_since=NOON, is_up=True)
    assert_overdue_from(task(alert_after=60, catch_up=CatchUp.ONCE), record, NOON + MINUTE)


def test_one_that_does_not_catch_up_is_awaited_at_its_next_occurrence() -> None:
    record = succeeded(THREE, up_since=NOON + DAY, is_up=True)
    nightly = task(NIGHTLY, alert_after=60, catch_up=CatchUp.NONE)
    assert_overdue_from(nightly, record, THREE + 2 * DAY + MINUTE)


def test_nor_is_one_awaited_at_once_that_missed_too_long_ago_to_catch_up() -> None:
    record = succeeded(THREE, up_since=NOON + DAY, is_up=True)
    nightly = task(NIGHTLY, alert_after=60, catch_up_window=HOUR)
    assert_overdue_from(nightly, record, THREE + 2 * DAY + MINUTE)


def test_a_start_between_two_occurrences_excuses_nothing() -> None:
    record = succeeded(NOON, up_since=NOON + MINUTE, is_up=True)
    assert_overdue_from(task(alert_after=60), record, NOON + 11 * MINUTE)


def test_while_nobody_is_up_no_start_counts_as_an_excuse() -> None:
    record = succeeded(NOON, up_since=NOON + 5 * HOUR, is_up=False)
    assert_overdue_from(task(alert_after=60), record, NOON + 11 * MINUTE)


# Nothing was asked of it


def test_an_occurrence_that_was_let_pass_is_not_expected_and_the_next_one_is() -> None:
    record = succeeded(NOON, excused_until=NOON + HOUR)
    assert_overdue_from(task(alert_after=60), record, NOON + HOUR + 11 * MINUTE)


def test_an_excuse_from_before_the_last_success_changes_nothing() -> None:
    record = succeeded(NOON, excused_until=NOON - HOUR)
    assert_overdue_from(task(alert_after=60), record, NOON + 11 * MINUTE)


# Clocks


def test_a_success_ahead_of_a_clock_that_was_set_back_is_not_believed() -> None:
    ahead = succeeded(NOON + 365 * DAY, up_since=NOON)
    assert_overdue_from(task(alert_after=60), ahead, NOON + 11 * MINUTE)


def test_a_success_by_a_clock_that_is_a_little_ahead_is_one_of_just_now() -> None:
    assert overdue_since(task(alert_after=60), succeeded(NOON + MINUTE, up_since=NOON - 30 * DAY), NOON) is None


@pytest.mark.parametrize("minutes", [-1, 0, 1, 600, 600_000])
def test_being_up_since_just_now_is_always_in_time(minutes: int) -> None:
    now = NOON + minutes * MINUTE
    assert overdue_since(task(alert_after=60), replace(succeeded(NOON), up_since=now), now) is None


# The default


@pytest.mark.parametrize(
    ("period", "options", "window"),
    [
        (2, Options(), SHORTEST),
        (60, Options(), SHORTEST),
        (900, Options(), 900),
        (86_400, Options(), LONGEST),
        (86_400, Options(timeout=7200), 7200),
        (86_400, Options(timeout=1800, retry=Retry(attempts=3, delay=600, factor=2, max_delay=1200)), 7200),
        (900, Options(timeout=60, retry=Retry(attempts=50, delay=300, factor=1)), 960),
        (2, Options(retry=Retry(attempts=10**9, delay=0.1)), SHORTEST),
    ],
    ids=["blink", "minute", "quarter", "day", "long", "tries", "more tries than fit", "countless tries"],
)
def test_the_default_window_is_a_period_within_bounds_and_enough_for_every_try(
    period: float, options: Options, window: float
) -> None:
    assert default_window(options, period) == window


def test_a_task_that_names_no_window_goes_by_its_own_period() -> None:
    assert_overdue_from(task(Every(600)), succeeded(NOON), NOON + 20 * MINUTE)
    assert_overdue_from(task(NIGHTLY), succeeded(THREE), THREE + DAY + HOUR)
