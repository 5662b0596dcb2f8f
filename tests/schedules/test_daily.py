"""Once per local calendar day."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncsched import DailyAt
from asyncsched.errors import ScheduleError
from tests.schedules.moments import MOMENTS, ZONES

MICROSECOND = timedelta(microseconds=1)
TIMES = st.tuples(st.integers(0, 23), st.integers(0, 59), st.sampled_from([0, 30, 59]))


def local(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M %z")


@given(zone=ZONES, time=TIMES, moment=MOMENTS)
def test_the_next_occurrence_is_strictly_later(zone: str, time: tuple[int, int, int], moment: datetime) -> None:
    assert DailyAt(*time, tz=zone).next_after(moment) > moment


@settings(max_examples=settings.default.max_examples * 2 // 5)  # each is a whole year
@given(zone=ZONES, time=TIMES, year=st.integers(1971, 2099))
def test_each_calendar_day_has_exactly_one(zone: str, time: tuple[int, int, int], year: int) -> None:
    schedule, tz = DailyAt(*time, tz=zone), ZoneInfo(zone)
    moment, end = datetime(year, 1, 1, tzinfo=tz).astimezone(UTC), datetime(year + 1, 1, 1, tzinfo=tz).astimezone(UTC)
    moment -= timedelta(microseconds=1)
    days: Counter[date] = Counter()
    while (moment := schedule.next_after(moment)) < end:
        days[moment.astimezone(tz).date()] += 1
    expected = {date(year, 1, 1) + timedelta(days=n) for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)}
    doubled = {day for day, count in days.items() if count == 2}
    assert set(days.values()) <= {1, 2}
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
        # A gap that ends at midnight: the first instant after it is the next day's.
        (DailyAt(23, 30, tz="America/Nuuk"), datetime(2024, 3, 30, 12, tzinfo=UTC), "2024-03-31 00:00 -0100"),
        (DailyAt(23, 30, tz="America/Nuuk"), datetime(2024, 3, 31, 1, tzinfo=UTC), "2024-03-31 23:30 -0100"),
        # From 00:01 back to 23:01: the first midnight, and the evening before it for the second time.
        (DailyAt(0, 0, tz="America/St_Johns"), datetime(2006, 10, 28, 12, tzinfo=UTC), "2006-10-29 00:00 -0230"),
        (DailyAt(0, 0, tz="America/St_Johns"), datetime(2006, 10, 29, 2, 30, tzinfo=UTC), "2006-10-30 00:00 -0330"),
        (DailyAt(23, 30, tz="America/St_Johns"), datetime(2006, 10, 29, 2, 0, tzinfo=UTC), "2006-10-29 23:30 -0330"),
        # The only gap since 1970 that does not end on a full minute.
        (DailyAt(0, 0, tz="Africa/Monrovia"), datetime(1972, 1, 6, 12, tzinfo=UTC), "1972-01-07 00:44 +0000"),
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


def test_it_runs_on_the_very_second() -> None:
    following = DailyAt(3, 5, 7).next_after(datetime(2026, 1, 1, 3, 5, 6, tzinfo=UTC))
    assert following == datetime(2026, 1, 1, 3, 5, 7, tzinfo=UTC)


def test_asked_just_before_a_gap_ends_it_names_its_end() -> None:
    end = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert DailyAt(2, 30, tz="Europe/Berlin").next_after(end - MICROSECOND) == end


def test_asked_just_before_an_hour_repeats_itself_it_names_the_second_passage() -> None:
    repeat = datetime(2026, 10, 25, 1, tzinfo=UTC)
    assert DailyAt(2, tz="Europe/Berlin", fold="both").next_after(repeat - MICROSECOND) == repeat


def test_the_first_instant_after_a_gap_is_exact_to_the_second() -> None:
    following = DailyAt(0, 0, tz="Africa/Monrovia").next_after(datetime(1972, 1, 6, 12, tzinfo=UTC))
    assert following == datetime(1972, 1, 7, 0, 44, 30, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Pacific/Apia", "Pacific/Fakaofo"])
@pytest.mark.parametrize("hour", [0, 12, 23])
def test_a_date_the_zone_skipped_has_no_run(zone: str, hour: int) -> None:
    occurrences = DailyAt(hour, tz=zone).between(
        datetime(2011, 12, 28, tzinfo=ZoneInfo(zone)), datetime(2012, 1, 2, tzinfo=ZoneInfo(zone))
    )
    assert "2011-12-30" not in {moment.astimezone(ZoneInfo(zone)).date().isoformat() for moment in occurrences}


def test_it_may_run_the_second_time_or_both_times_or_not_at_all() -> None:
    fall, spring = datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 3, 28, 12, tzinfo=UTC)
    second = DailyAt(2, 30, tz="Europe/Berlin", fold="second")
    assert local(second.next_after(fall), "Europe/Berlin") == "2026-10-25 02:30 +0100"
    both = DailyAt(2, 30, tz="Europe/Berlin", fold="both")
    assert [moment.hour for moment in both.between(fall, fall + timedelta(days=1))] == [0, 1]
    skip = DailyAt(2, 30, tz="Europe/Berlin", gap="skip")
    assert local(skip.next_after(spring), "Europe/Berlin") == "2026-03-30 02:30 +0200"


@pytest.mark.parametrize("arguments", [(24,), (-1,), (3, 60), (3, 0, 60), (3.5,), ("3",), (True,)])
def test_nonsense_is_refused(arguments: tuple[int, ...]) -> None:
    with pytest.raises(ScheduleError, match="must be a whole number"):
        DailyAt(*arguments)


@pytest.mark.parametrize("zone", ["Europe/Berlyn", "", "Europe", "../etc/passwd", 5, ZoneInfo("Europe/Berlin")])
def test_an_unknown_zone_is_refused_with_the_way_out(zone: str) -> None:
    with pytest.raises(ScheduleError, match=r"this system has no zone files$") as refusal:
        DailyAt(3, tz=zone)
    assert str(refusal.value).startswith(f"unknown time zone {zone!r}: use an IANA name such as 'Europe/Berlin'")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"gap": "run"}, r"^DailyAt\(gap='run'\): gap must be 'run_after' or 'skip'$"),
        ({"fold": "last"}, r"^DailyAt\(fold='last'\): fold must be 'first' or 'second' or 'both'$"),
        ({"gap": None}, "gap must be"),
        ({"fold": ["first"]}, "fold must be"),
    ],
)
def test_a_rule_that_does_not_exist_is_refused_with_those_that_do(arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ScheduleError, match=complaint):
        DailyAt(3, **arguments)


def test_it_says_what_it_is() -> None:
    assert DailyAt(3, tz="Europe/Berlin").describe() == "daily at 03:00 Europe/Berlin"
    assert DailyAt(3, 5, 7, tz="UTC").describe() == "daily at 03:05:07 UTC"
    assert DailyAt(23, 59).describe() == "daily at 23:59"


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"gap": "skip"}, "daily at 02:30 UTC, skipped when clocks jump over it"),
        ({"fold": "second"}, "daily at 02:30 UTC, the second time when clocks go back"),
        (
            {"gap": "skip", "fold": "both"},
            "daily at 02:30 UTC, skipped when clocks jump over it, both times when clocks go back",
        ),
    ],
)
def test_it_says_which_rules_are_not_the_usual_ones(rules: dict[str, Any], words: str) -> None:
    assert DailyAt(2, 30, tz="UTC", **rules).describe() == words


def test_it_is_never_below_a_minute() -> None:
    assert not DailyAt(3).is_subminute
