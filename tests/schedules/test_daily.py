"""Once per local calendar day."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncsched import DailyAt
from asyncsched.errors import ScheduleError
from tests.schedules.moments import MOMENTS, ZONES

TIMES = st.tuples(st.integers(0, 23), st.integers(0, 59), st.sampled_from([0, 30, 59]))


def local(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M %z")


@given(zone=ZONES, time=TIMES, moment=MOMENTS)
def test_the_next_occurrence_is_strictly_later(zone: str, time: tuple[int, int, int], moment: datetime) -> None:
    assert DailyAt(*time, tz=zone).next_after(moment) > moment


@settings(max_examples=40)
@given(zone=ZONES, time=TIMES, year=st.integers(1971, 2099))
def test_each_calendar_day_has_exactly_one(zone: str, time: tuple[int, int, int], year: int) -> None:
    schedule, tz = DailyAt(*time, tz=zone), ZoneInfo(zone)
    moment, end = datetime(year, 1, 1, tzinfo=tz).astimezone(UTC), datetime(year + 1, 1, 1, tzinfo=tz).astimezone(UTC)
    moment -= timedelta(microseconds=1)
    days: Counter[date] = Counter()
    while (moment := schedule.next_after(moment)) < end:
        days[moment.astimezone(tz).date()] += 1
    expected = {date(year, 1, 1) + timedelta(days=n) for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)}
    doubled = {day for day, count in days.items() if count > 1}
    missing = expected - set(days)
    # Only a gap that spans midnight may hand a day's run to the next day's first instant.
    assert all(day - timedelta(days=1) in missing for day in doubled)
    assert all(day + timedelta(days=1) in doubled or _is_skipped(day, tz) for day in missing)


def _is_skipped(day: date, tz: ZoneInfo) -> bool:
    start = datetime(day.year, day.month, day.day, tzinfo=tz)
    hours = (start.astimezone(UTC) + timedelta(hours=hour) for hour in range(-30, 31))
    return day not in {hour.astimezone(tz).date() for hour in hours}


@given(zone=ZONES, time=TIMES, moment=MOMENTS)
def test_looking_back_agrees_with_looking_forward(zone: str, time: tuple[int, int, int], moment: datetime) -> None:
    schedule = DailyAt(*time, tz=zone)
    latest = schedule.latest_until(moment)
    assert latest is not None
    assert latest <= moment
    assert schedule.next_after(latest) == schedule.next_after(moment)


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        # Berlin springs from 02:00 to 03:00 on 29 March 2026: the first instant after the gap.
        (DailyAt(2, 30, tz="Europe/Berlin"), datetime(2026, 3, 28, 12, tzinfo=UTC), "2026-03-29 03:00 +0200"),
        (DailyAt(2, 30, tz="Europe/Berlin"), datetime(2026, 3, 29, 1, tzinfo=UTC), "2026-03-30 02:30 +0200"),
        (DailyAt(2, 0, tz="Europe/Berlin"), datetime(2026, 3, 28, 12, tzinfo=UTC), "2026-03-29 03:00 +0200"),
        (DailyAt(3, 0, tz="Europe/Berlin"), datetime(2026, 3, 28, 12, tzinfo=UTC), "2026-03-29 03:00 +0200"),
        # It falls back from 03:00 to 02:00 on 25 October 2026: the first of the two.
        (DailyAt(2, 30, tz="Europe/Berlin"), datetime(2026, 10, 24, 12, tzinfo=UTC), "2026-10-25 02:30 +0200"),
        (DailyAt(2, 30, tz="Europe/Berlin"), datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-26 02:30 +0100"),
        # Lord Howe moves by half an hour, Troll by two.
        (DailyAt(2, 15, tz="Australia/Lord_Howe"), datetime(2026, 10, 3, 0, tzinfo=UTC), "2026-10-04 02:30 +1100"),
        (DailyAt(2, 30, tz="Antarctica/Troll"), datetime(2026, 3, 28, 12, tzinfo=UTC), "2026-03-29 03:00 +0200"),
        # A gap at midnight.
        (DailyAt(0, 30, tz="America/Sao_Paulo"), datetime(2018, 11, 3, 12, tzinfo=UTC), "2018-11-04 01:00 -0200"),
        # A day that never was: from 29 to 31 December 2011.
        (DailyAt(3, tz="Pacific/Apia"), datetime(2011, 12, 29, 13, tzinfo=UTC), "2011-12-31 03:00 +1400"),
    ],
)
def test_transitions(schedule: DailyAt, after: datetime, expected: str) -> None:
    assert schedule.tz
    assert local(schedule.next_after(after), schedule.tz) == expected


def test_without_a_zone_it_takes_the_schedulers() -> None:
    assert DailyAt(3).in_zone("Europe/Berlin") == DailyAt(3, tz="Europe/Berlin")
    assert DailyAt(3, tz="Asia/Tokyo").in_zone("Europe/Berlin").tz == "Asia/Tokyo"


@pytest.mark.parametrize("arguments", [(24,), (-1,), (3, 60), (3, 0, 60), (3.5,), ("3",), (True,)])
def test_nonsense_is_refused(arguments: tuple[int, ...]) -> None:
    with pytest.raises(ScheduleError, match="must be a whole number"):
        DailyAt(*arguments)


def test_an_unknown_zone_is_refused_with_the_way_out() -> None:
    with pytest.raises(ScheduleError, match=r"unknown time zone 'Europe/Berlyn'.*tzdata"):
        DailyAt(3, tz="Europe/Berlyn")


def test_the_end_of_time_is_an_error_and_not_a_crash() -> None:
    with pytest.raises(ScheduleError, match="years 1900 to 9998"):
        DailyAt(3).next_after(datetime(9999, 12, 31, 12, tzinfo=UTC))


def test_it_says_what_it_is() -> None:
    assert DailyAt(3, tz="Europe/Berlin").describe() == "daily at 03:00 Europe/Berlin"
    assert DailyAt(3, 5, 7, tz="UTC").describe() == "daily at 03:05:07 UTC"
