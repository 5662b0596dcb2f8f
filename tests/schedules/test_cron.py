"""Cron expressions by Debian cron's rules."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from asyncsched import Cron
from asyncsched.errors import ScheduleError
from tests.schedules.moments import MOMENTS, Night, changes, moments_near, nights

EXPRESSIONS = st.builds(
    "{} {} {} {} {}".format,
    st.sampled_from(["*", "*/5", "0", "30", "0,15,59", "10-20"]),
    st.sampled_from(["*", "*/2", "2", "3", "0", "8-18"]),
    st.sampled_from(["*", "1", "*/2", "31", "L"]),
    st.sampled_from(["*", "3", "10", "3,10", "1-6"]),
    st.sampled_from(["*", "MON-FRI", "0", "7", "SUN"]),
)


AT_FIXED_TIMES = EXPRESSIONS.filter(lambda text: "*" not in (text[0], text.split()[1][0]))
# CronSim contradicts itself where clocks shift by half an hour, or at midnight: with a minute or an
# hour that begins with a star it loses times beside such a shift (see test_changing_clocks).
SHIFTED_BY_HOURS_AWAY_FROM_MIDNIGHT = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "America/Los_Angeles", "Australia/Sydney", "Antarctica/Troll", "UTC"]
)


def agrees_with_cronsim(expression: str, zone: str, moment: datetime) -> bool:
    try:
        schedule = Cron(expression, tz=zone)
    except ScheduleError:
        return not list(CronSim(expression, datetime(2024, 1, 1, tzinfo=UTC)))[:1]
    simulation = (found.astimezone(UTC) for found in CronSim(expression, moment.astimezone(ZoneInfo(zone))))
    # Started in the second passage of a fold, CronSim first names times of the first, which are past.
    return schedule.next_after(moment) == next(found for found in simulation if found > moment)


@given(expression=EXPRESSIONS, zone=SHIFTED_BY_HOURS_AWAY_FROM_MIDNIGHT, moment=MOMENTS)
def test_it_agrees_with_cronsim(expression: str, zone: str, moment: datetime) -> None:
    assert agrees_with_cronsim(expression, zone, moment)


@given(data=st.data(), expression=EXPRESSIONS, zone=SHIFTED_BY_HOURS_AWAY_FROM_MIDNIGHT, year=st.integers(1970, 2099))
def test_it_agrees_with_cronsim_on_nights_when_clocks_change(
    data: st.DataObject, expression: str, zone: str, year: int
) -> None:
    change = data.draw(st.sampled_from(changes(zone, year) or [datetime(year, 7, 1, tzinfo=UTC)]))
    assert agrees_with_cronsim(expression, zone, data.draw(moments_near(Night(zone, change))))


@given(data=st.data(), expression=AT_FIXED_TIMES, night=nights())
def test_at_fixed_times_it_agrees_with_cronsim_in_every_zone(
    data: st.DataObject, expression: str, night: Night
) -> None:
    assert agrees_with_cronsim(expression, night.zone, data.draw(moments_near(night)))


def test_in_the_second_hour_of_a_fold_it_does_not_name_the_past() -> None:
    second_passage = datetime(2026, 10, 25, 1, 5, tzinfo=UTC)  # 02:05 in Berlin, for the second time
    following = Cron("10-20 2 * * *", tz="Europe/Berlin").next_after(second_passage)
    assert following == datetime(2026, 10, 26, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("* * * *", "five fields"),
        ("60 * * * *", "Bad minute"),
        ("0 25 * * *", "Bad hour"),
        ("0 0 31 2 *", "Bad day-of-month|never matches"),
        ("", "five fields"),
        ("@daily", "five fields"),
    ],
)
def test_bad_text_is_refused_by_name(expression: str, complaint: str) -> None:
    with pytest.raises(ScheduleError, match=complaint):
        Cron(expression)


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(ScheduleError, match="must be text"):
        Cron(5)  # type: ignore[arg-type]


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ScheduleError, match="unknown time zone"):
        Cron("* * * * *", tz="Mars/Olympus")


def test_it_says_what_it_is() -> None:
    words = Cron("*/15 8-18 * * MON-FRI", tz="Europe/Berlin").describe()
    assert words == "every 15th minute from 08:00 through 18:59 on Monday through Friday Europe/Berlin"
