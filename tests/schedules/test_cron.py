"""Cron expressions by Debian cron's rules."""

import re
from datetime import UTC, datetime, timedelta
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


def test_asked_just_before_a_gap_ends_it_names_its_end() -> None:
    end = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert Cron("30 2 * * *", tz="Europe/Berlin").next_after(end - timedelta(microseconds=1)) == end


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


def test_a_rule_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ScheduleError, match=r"^Cron\(fold='twice'\): fold must be 'first' or 'second' or 'both'$"):
        Cron("* * * * *", fold="twice")  # type: ignore[arg-type]


@pytest.mark.parametrize("expression", ["* 2 * * *", "*/5 2 * * *", "30 * * * *", "30 */2 * * *", "0 30 2 * * *"])
def test_what_runs_by_the_clock_cannot_run_the_second_time_only(expression: str) -> None:
    with pytest.raises(
        ScheduleError,
        match=rf"^Cron\({re.escape(repr(expression))}, fold='second'\): with .* for expressions at fixed times$",
    ):
        Cron(expression, fold="second")
    assert Cron(expression, fold="both").fold == "both"


def test_at_fixed_times_it_can_run_the_second_time_only() -> None:
    assert Cron("30 2 * * *", fold="second").fold == "second"


def test_a_time_that_clocks_always_jump_over_never_comes() -> None:
    # Since 1981 Berlin's clocks jump over 02:30 on every last Sunday of March.
    assert Cron("30 2 * 3 7L", tz="Europe/Berlin")
    with pytest.raises(
        ScheduleError, match=r"skipped when clocks jump over it: never matches; no occurrence within 50 years"
    ):
        Cron("30 2 * 3 7L", tz="Europe/Berlin", gap="skip")


def test_the_end_of_time_is_an_error_and_not_a_crash() -> None:
    with pytest.raises(ScheduleError, match="no further occurrence before the year 9999 ends"):
        Cron("0 0 29 2 *").next_after(datetime(9998, 12, 31, tzinfo=UTC))


def test_without_a_zone_it_takes_the_schedulers() -> None:
    assert Cron("0 3 * * *").in_zone("Europe/Berlin") == Cron("0 3 * * *", tz="Europe/Berlin")
    assert Cron("0 3 * * *", tz="Asia/Tokyo").in_zone("Europe/Berlin").tz == "Asia/Tokyo"
    assert Cron("0 3 * * *").next_after(datetime(2026, 7, 1, tzinfo=UTC)) == datetime(2026, 7, 1, 3, tzinfo=UTC)


def test_six_fields_may_be_below_a_minute() -> None:
    assert Cron("*/10 * * * * *").is_subminute
    assert not Cron("* * * * *").is_subminute


def test_it_says_what_it_is() -> None:
    words = Cron("*/15 8-18 * * MON-FRI", tz="Europe/Berlin").describe()
    assert words == "every 15th minute from 08:00 through 18:59 on Monday through Friday Europe/Berlin"
    assert Cron("30 2 * * *", gap="skip").describe() == "at 02:30 every day, skipped when clocks jump over it"
