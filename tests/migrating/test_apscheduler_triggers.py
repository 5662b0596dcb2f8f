"""APScheduler's triggers as ours, asked for the same times."""

from datetime import UTC, date, datetime

import pytest
from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncsched import Cron, DailyAt, Every
from asyncsched.migrating.apscheduler_triggers import converted
from asyncsched.migrating.found import Converted, NoCounterpart, Topic

NOW = datetime(2027, 1, 10, 12, tzinfo=UTC)


def here(trigger: object, goes_on_from: datetime | None = None) -> Converted:
    (one,) = converted(trigger, goes_on_from=goes_on_from, now=NOW)
    return one


def topics(trigger: object) -> list[Topic]:
    return [one.topic for one in here(trigger).differences]


def following(result: Converted, moment: datetime) -> datetime:
    moment = result.schedule.next_after(moment)
    while not all(eval(one.expression, {"moment": moment}) for one in result.conditions):
        moment = result.schedule.next_after(moment)
    return moment


ALL_DAYS = ["*", 1, "1-7", "*/2", "last", "2nd fri", "last sun,15", "1st mon,3rd mon", "28-31"]
SOME_DAYS = ["1-7", "8-14,22-28", "*/2", "10-20", "last,15"]


@settings(max_examples=40)
@given(
    second=st.sampled_from([0, "0", "5,35"]),
    minute=st.sampled_from([0, "*/15", "10-20/3", "5/25"]),
    hour=st.sampled_from([9, "8-18/2", "*/6"]),
    month=st.sampled_from(["*", "jan-jun", "2,11", "*/4"]),
    days=st.one_of(
        st.tuples(st.sampled_from(ALL_DAYS), st.just("*")),
        st.tuples(st.sampled_from(SOME_DAYS), st.sampled_from(["0", "0-4", "sat,sun", "mon-fri", "6"])),
    ),
)
def test_a_cron_trigger_names_the_same_times_here(days: tuple[object, str], **fields: object) -> None:
    trigger = CronTrigger(**fields, day=days[0], day_of_week=days[1], timezone=UTC)
    result = here(trigger)
    moment = NOW
    for _ in range(3):
        there = trigger.get_next_fire_time(moment, moment)
        moment = following(result, moment)
        assert moment == there


@pytest.mark.parametrize(
    "rare", [{"week": "1-53/2"}, {"week": "10,20"}, {"year": "2027-2030"}, {"year": "2028"}], ids=str
)
def test_weeks_and_years_are_asked_for_by_a_condition(rare: dict[str, str]) -> None:
    trigger = CronTrigger(**rare, month="*", day_of_week="tue", hour=6, timezone=UTC)
    assert following(here(trigger), NOW) == trigger.get_next_fire_time(None, NOW)


@pytest.mark.parametrize(
    ("trigger", "ours"),
    [
        (CronTrigger(hour=23, minute=55, timezone="Europe/Berlin"), DailyAt(23, 55, tz="Europe/Berlin")),
        (CronTrigger.from_crontab("*/15 8-18 * * 0-4", timezone=UTC), Cron("*/15 8-18 * * MON-FRI", tz="UTC")),
        (CronTrigger(day="last fri,last", hour=7, timezone=UTC), Cron("0 7 L * 5L", tz="UTC")),
        (IntervalTrigger(hours=2, start_date=datetime(2026, 1, 1, 0, 17, tzinfo=UTC)), Every(7200, offset=1020)),
        (CalendarIntervalTrigger(days=1, hour=5, timezone=UTC), DailyAt(5, tz="UTC", gap="skip")),
        (
            CalendarIntervalTrigger(months=3, hour=1, start_date=date(2026, 11, 12), timezone=UTC),
            Cron("0 1 12 2,5,8,11 *", tz="UTC", gap="skip"),
        ),
    ],
    ids=str,
)
def test_it_is_written_as_people_would(trigger: object, ours: object) -> None:
    assert here(trigger).schedule == ours


def test_every_so_many_days_is_a_day_on_which_a_condition_counts() -> None:
    result = here(CalendarIntervalTrigger(weeks=2, hour=5, start_date=date(2027, 1, 5), timezone=UTC))
    assert following(result, NOW) == datetime(2027, 1, 19, 5, tzinfo=UTC)


def test_an_interval_that_began_with_its_process_begins_elsewhere_here() -> None:
    trigger = IntervalTrigger(minutes=5, start_date=datetime(2027, 1, 1, 0, 0, 1, 234, tzinfo=UTC))
    assert (here(trigger).schedule, topics(trigger)) == (Every(300), [Topic.FIRST_RUN])


def test_one_of_a_job_store_goes_on() -> None:
    trigger = IntervalTrigger(minutes=5, start_date=datetime(2027, 1, 1, 0, 0, 1, 234, tzinfo=UTC))
    assert here(trigger, datetime(2027, 1, 10, 12, 2, 1, 234, tzinfo=UTC)).schedule == Every(300, offset=121)


@pytest.mark.parametrize(
    ("trigger", "topic"),
    [
        (IntervalTrigger(minutes=5, jitter=10, start_date="2027-01-01", timezone=UTC), Topic.INTERVAL),
        (CronTrigger(hour=5, jitter=10, timezone=UTC), Topic.STEPS),
        (CronTrigger(hour=2, minute=30, timezone="Europe/Berlin"), Topic.CLOCK_CHANGES),
        (CronTrigger(day=1, hour=0, timezone="Europe/Berlin"), Topic.CLOCK_CHANGES),  # there is none on 1 April
    ],
    ids=str,
)
def test_what_is_not_the_same_is_told(trigger: object, topic: Topic) -> None:
    assert topics(trigger) == [topic]


def test_one_of_two_triggers_is_two_tasks() -> None:
    either = OrTrigger([CronTrigger(hour=5, timezone=UTC), CronTrigger(hour=6, timezone=UTC)])
    both = list(converted(either, goes_on_from=None, now=NOW))
    assert [one.schedule for one in both] == [DailyAt(5, tz="UTC"), DailyAt(6, tz="UTC")]
    assert {one.topic for each in both for one in each.differences} == {Topic.OVERLAP}


@pytest.mark.parametrize(
    ("trigger", "why"),
    [
        (DateTrigger(datetime(2027, 12, 24, tzinfo=UTC)), "for one moment"),
        (AndTrigger([CronTrigger(hour=5)]), "several triggers agree"),
        (CronTrigger(hour=5, end_date=datetime(2026, 5, 1, tzinfo=UTC)), "has ended, on 2026-05-01"),
        (CalendarIntervalTrigger(months=5, timezone=UTC), "no year can be divided"),
        (IntervalTrigger(seconds=10, jitter=8), "jitter must be"),
    ],
    ids=str,
)
def test_what_no_schedule_can_say_is_left_out_with_a_reason(trigger: object, why: str) -> None:
    with pytest.raises(NoCounterpart, match=why):
        here(trigger)
