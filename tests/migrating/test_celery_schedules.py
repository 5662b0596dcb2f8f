"""Celery's schedules as ours: crontabs and intervals, asked for the same times."""

from datetime import UTC, datetime, timedelta

import pytest
from celery import Celery
from celery.schedules import crontab, schedule
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncsched import Cron, DailyAt, Every
from asyncsched.migrating.celery_schedules import converted
from asyncsched.migrating.found import Converted, NoCounterpart, Topic
from asyncsched.schedules.base import zone_named

NOW = datetime(2027, 1, 10, 12, tzinfo=UTC)
APP = Celery("shop", broker="memory://", set_as_current=False)


def here(theirs: object, zone: str = "UTC", last_run_at: datetime | None = None) -> Converted:
    theirs.app, theirs.tz = APP, zone_named(zone)
    return converted(theirs, zone=zone, last_run_at=last_run_at, now=NOW)


def fields(first: int, last: int, *more: str) -> st.SearchStrategy[object]:
    """What a field of a crontab may be: any number, a list, a range (also past its end), a step."""
    number = st.integers(first, last)
    return st.one_of(
        st.just("*"),
        number,
        st.sets(number, min_size=1, max_size=4),
        st.builds("{}-{}".format, number, number),
        st.builds("*/{}".format, st.integers(1, last)),
        st.builds("{},{}".format, number, number),
        *map(st.just, more),
    )


@settings(max_examples=60)
@given(
    minute=fields(0, 59),
    hour=fields(0, 23, "8-18/2"),
    day=fields(1, 31, "1-7", "8-14,22-28", "29-31", "2-30/2"),
    month=fields(1, 12, "jan-mar"),
    weekday=fields(0, 6, "mon-fri", "sat,sun"),
)
def test_a_crontab_names_the_same_times_here(**theirs: object) -> None:
    try:
        there = crontab(theirs["minute"], theirs["hour"], theirs["weekday"], theirs["day"], theirs["month"], app=APP)
    except ValueError:
        return  # no month has that day
    result = here(there)
    moment = following = NOW
    for _ in range(8):
        start, step, _ = there.remaining_delta(moment)
        moment = start + step
        following = result.schedule.next_after(following)
        while not all(eval(one.expression, {"moment": following}) for one in result.conditions):
            following = result.schedule.next_after(following)
        assert following == moment


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (crontab(hour=3, minute=0), DailyAt(3, 0, tz="Europe/Berlin")),
        (crontab(minute="*/15", hour="8-18"), Cron("*/15 8-18 * * *", tz="Europe/Berlin")),
        (crontab(0, 9, day_of_month="1-7", day_of_week="mon"), Cron("0 9 * * MON#1", tz="Europe/Berlin")),
        (crontab(0, 9, day_of_month="8-14,22-28", day_of_week=5), Cron("0 9 * * FRI#2,FRI#4", tz="Europe/Berlin")),
        (crontab(0, "22-4", day_of_week="fri,sat,sun"), Cron("0 0-4,22,23 * * FRI,SAT,SUN", tz="Europe/Berlin")),
        (schedule(timedelta(milliseconds=500)), Every(0.5)),
    ],
    ids=str,
)
def test_it_is_written_as_people_would(theirs: object, ours: object) -> None:
    assert here(theirs, "Europe/Berlin").schedule == ours


def test_an_interval_goes_on_from_when_the_message_was_sent_last() -> None:
    result = here(schedule(21_600), last_run_at=datetime(2027, 1, 10, 7, 30, 5, 900, tzinfo=UTC))
    assert result.schedule.next_after(NOW) == datetime(2027, 1, 10, 13, 30, 5, tzinfo=UTC)
    assert [one.topic for one in result.differences] == [Topic.INTERVAL]


def test_one_that_ends_with_the_clock_on_the_wall_is_told_of() -> None:
    (first, _) = here(schedule(86_400, relative=True), last_run_at=NOW).differences
    assert "local clock" in first.there


def test_without_that_it_is_said_where_it_begins() -> None:
    assert [one.topic for one in here(schedule(21_600)).differences] == [Topic.INTERVAL, Topic.FIRST_RUN]


def test_an_hour_that_celery_skips_is_told_with_its_date() -> None:
    (told,) = here(crontab(minute="*/15"), "Europe/Berlin").differences
    assert (told.there, told.here) == (
        "2027-10-31 not",
        "2027-10-31 at 02:00 CET, 02:15 CET, 02:30 CET and 1 more",
    )


def test_nothing_is_told_of_a_time_that_clocks_leave_alone() -> None:
    assert here(crontab(hour=12, minute=0), "Europe/Berlin").differences == ()


def test_a_schedule_of_the_projects_own_is_left_out() -> None:
    class Tides(crontab().__class__.__mro__[1]):
        """By the moon."""

    with pytest.raises(NoCounterpart, match="of the project's own, Tides"):
        here(Tides())
