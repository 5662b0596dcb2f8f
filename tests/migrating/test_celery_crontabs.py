"""Our cron expressions as Celery's crontabs, asked for the same times."""

from datetime import UTC, datetime

import pytest
from celery import Celery
from celery.schedules import crontab
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncsched import Cron, DailyAt
from asyncsched.errors import ScheduleError
from asyncsched.migrating.celery_crontabs import Crontab, crontabs
from asyncsched.migrating.found import NoCounterpart
from asyncsched.migrating.to_celery_beat import fields_of

NOW = datetime(2027, 1, 10, 12, tzinfo=UTC)
APP = Celery("shop", broker="memory://", set_as_current=False)

DAYS = st.sampled_from(["*", "1,15", "13", "*/2", "10/7", "1-7", "28-31", "8-14"])
WEEKDAYS = st.sampled_from(["*", "MON", "SUN", "7", "1-5", "*/3", "FRI#2", "MON#1,MON#3", "TUE,FRI#5", "6#4,SAT"])


@settings(max_examples=60)
@given(
    minute=st.sampled_from(["*", "0", "5/20", "*/7", "10-20/3", "31-31/3"]),
    hour=st.sampled_from(["*", "9", "8-18", "*/6", "1/5"]),
    day=DAYS,
    month=st.sampled_from(["*", "JAN-JUN", "2,11", "*/4"]),
    weekday=WEEKDAYS,
)
def test_together_they_name_the_same_times_and_none_twice(**fields: str) -> None:
    try:
        ours = Cron(" ".join(fields.values()))
    except ScheduleError:
        return  # it never comes
    theirs = [crontab(**fields_of(one), app=APP) for one in crontabs(ours)]
    moment = NOW
    for _ in range(8):
        ahead = [start + step for start, step, _ in (one.remaining_delta(moment) for one in theirs)]
        moment = ours.next_after(moment)
        assert min(ahead) == moment
        assert ahead.count(moment) == 1


def test_a_time_of_day_is_one() -> None:
    assert crontabs(DailyAt(7, 30)) == [Crontab(minute="30", hour="7")]


def test_day_or_weekday_is_two_because_celery_wants_both_to_fit() -> None:
    assert crontabs(Cron("0 9 1,15 * MON")) == [
        Crontab(minute="0", hour="9", day_of_month="1,15"),
        Crontab(minute="0", hour="9", day_of_month="2-14,16-31", day_of_week="mon"),
    ]


@pytest.mark.parametrize("expression", ["0 0 L * *", "0 0 LW * *", "0 0 * * 5L", "0 0 1,L * *"])
def test_a_last_day_cannot_be_said(expression: str) -> None:
    with pytest.raises(NoCounterpart, match="no last day"):
        crontabs(Cron(expression))


def test_seconds_cannot_be_said() -> None:
    with pytest.raises(NoCounterpart, match="no seconds"):
        crontabs(Cron("30 0 9 * * *"))
