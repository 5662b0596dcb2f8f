"""On the nights that clocks change: what is named, compared with looking at the clock every minute."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsched import Cron, DailyAt
from asyncsched.schedules import Schedule
from tests.schedules.moments import HALF_AS_MANY, Night, nights
from tests.schedules.oracle import occurrences

HOURS, DAY = timedelta(hours=5), timedelta(days=1)
GAPS = st.sampled_from(["run_after", "skip"])
FOLDS = st.sampled_from(["first", "second", "both"])
MINUTES = st.sets(st.integers(0, 59), min_size=1, max_size=5)
HOURS_FROM_THE_CHANGE = st.sets(st.integers(-2, 3), min_size=1, max_size=4)
STARRED_MINUTES = [("*", set(range(60))), ("*/15", {0, 15, 30, 45}), ("*/45", {0, 45})]
STARRED_HOURS = [("*", set(range(24))), ("*/2", set(range(0, 24, 2)))]
WEEKDAYS = [("*", set(range(7))), ("SAT", {5}), ("SUN", {6}), ("MON-FRI", {0, 1, 2, 3, 4})]


def named(schedule: Schedule, night: Night, near: timedelta) -> list[datetime]:
    return list(schedule.between(night.change - near, night.change + near))


def within(near: timedelta, night: Night, instants: set[datetime]) -> list[datetime]:
    return sorted(instant for instant in instants if night.change - near < instant <= night.change + near)


@HALF_AS_MANY
@given(night=nights(), minute=st.integers(0, 59), away=st.integers(-23, 24), gap=GAPS, fold=FOLDS)
def test_daily_runs_as_the_rules_for_gap_and_fold_say(
    night: Night, minute: int, away: int, gap: str, fold: str
) -> None:
    hour = (night.hour_before + away) % 24
    schedule = DailyAt(hour, minute, tz=night.zone, gap=gap, fold=fold)  # type: ignore[arg-type]
    expected = occurrences(
        night, lambda wall: (wall.hour, wall.minute) == (hour, minute), gap=gap, fold=fold, whole_dates=True
    )
    assert named(schedule, night, DAY) == within(DAY, night, expected)


@dataclass(frozen=True)
class Fields:
    """A cron expression, and what it matches."""

    expression: str
    minutes: set[int]
    hours: set[int]
    weekdays: set[int]

    def match(self, wall: datetime) -> bool:
        return wall.minute in self.minutes and wall.hour in self.hours and wall.weekday() in self.weekdays


def listed(numbers: set[int]) -> str:
    return ",".join(map(str, sorted(numbers)))


@HALF_AS_MANY
@given(
    night=nights(), minutes=MINUTES, away=HOURS_FROM_THE_CHANGE, weekday=st.sampled_from(WEEKDAYS), gap=GAPS, fold=FOLDS
)
def test_cron_at_fixed_times_runs_as_the_rules_for_gap_and_fold_say(
    night: Night, minutes: set[int], away: set[int], weekday: tuple[str, set[int]], gap: str, fold: str
) -> None:
    hours = {(night.hour_before + hour) % 24 for hour in away}
    fields = Fields(f"{listed(minutes)} {listed(hours)} * * {weekday[0]}", minutes, hours, weekday[1])
    schedule = Cron(fields.expression, tz=night.zone, gap=gap, fold=fold)  # type: ignore[arg-type]
    expected = occurrences(night, fields.match, gap=gap, fold=fold)
    assert named(schedule, night, HOURS) == within(HOURS, night, expected)


@st.composite
def by_the_clock(draw: st.DrawFn, hour_before: int) -> Fields:
    """Draw an expression with a minute or an hour that begins with a star, or with a field for seconds."""
    weekday, weekdays = draw(st.sampled_from(WEEKDAYS))
    minutes = draw(MINUTES)
    hours = {(hour_before + hour) % 24 for hour in draw(HOURS_FROM_THE_CHANGE)}
    starred_minute, starred_hour = draw(st.sampled_from(STARRED_MINUTES)), draw(st.sampled_from(STARRED_HOURS))
    minute, hour, seconds = draw(
        st.sampled_from(
            [
                (starred_minute, starred_hour, ""),
                (starred_minute, (listed(hours), hours), ""),
                ((listed(minutes), minutes), starred_hour, ""),
                ((listed(minutes), minutes), (listed(hours), hours), "0 "),
            ]
        )
    )
    return Fields(f"{seconds}{minute[0]} {hour[0]} * * {weekday}", minute[1], hour[1], weekdays)


@HALF_AS_MANY
@given(data=st.data(), night=nights(), gap=GAPS)
def test_cron_by_the_clock_runs_whenever_the_clock_matches(data: st.DataObject, night: Night, gap: str) -> None:
    fields = data.draw(by_the_clock(night.hour_before))
    schedule = Cron(fields.expression, tz=night.zone, gap=gap)  # type: ignore[arg-type]
    expected = occurrences(night, fields.match, gap="skip", fold="both")
    assert named(schedule, night, HOURS) == within(HOURS, night, expected)


BERLIN = "Europe/Berlin"
SPRING = datetime(2026, 3, 28, 23, tzinfo=UTC)  # local midnight; 02:00 becomes 03:00 at 01:00 UTC
AUTUMN = datetime(2026, 10, 24, 22, tzinfo=UTC)  # local midnight; 03:00 becomes 02:00 at 01:00 UTC


def at(start: datetime, schedule: Schedule) -> list[str]:
    """Return the times, in UTC, of the local day that begins at *start*; clocks have changed by its end."""
    end = start + DAY + timedelta(hours=-1 if start is SPRING else 1)
    return [
        f"{found:%H:%M}" for found in schedule.between(start - timedelta(microseconds=1), end - timedelta(seconds=1))
    ]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (DailyAt(2, 30, tz=BERLIN), ["01:00"]),
        (DailyAt(2, 30, tz=BERLIN, gap="run_after"), ["01:00"]),
        (DailyAt(2, 30, tz=BERLIN, gap="skip"), []),
        (DailyAt(1, 30, tz=BERLIN, gap="skip"), ["00:30"]),
        (DailyAt(3, 0, tz=BERLIN, gap="skip"), ["01:00"]),
        (Cron("30 2 * * *", tz=BERLIN), ["01:00"]),
        (Cron("30 2 * * *", tz=BERLIN, gap="skip"), []),
        (Cron("0,30 2,3 * * *", tz=BERLIN), ["01:00", "01:30"]),
        (Cron("*/30 2 * * *", tz=BERLIN), []),
        (Cron("30 */2 * * *", tz=BERLIN, gap="run_after"), [f"{hour - 2:02}:30" for hour in range(4, 24, 2)]),
        (Cron("0 30 2 * * *", tz=BERLIN), []),
    ],
    ids=str,
)
def test_a_spring_day_in_berlin(schedule: Schedule, expected: list[str]) -> None:
    assert [time for time in at(SPRING, schedule) if time != "23:30"] == expected


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (DailyAt(2, 30, tz=BERLIN), ["00:30"]),
        (DailyAt(2, 30, tz=BERLIN, fold="second"), ["01:30"]),
        (DailyAt(2, 30, tz=BERLIN, fold="both"), ["00:30", "01:30"]),
        (DailyAt(3, 0, tz=BERLIN, fold="both"), ["02:00"]),
        (Cron("30 2 * * *", tz=BERLIN), ["00:30"]),
        (Cron("30 2 * * *", tz=BERLIN, fold="second"), ["01:30"]),
        (Cron("0,30 2 * * *", tz=BERLIN, fold="both"), ["00:00", "00:30", "01:00", "01:30"]),
        (Cron("*/30 2 * * *", tz=BERLIN), ["00:00", "00:30", "01:00", "01:30"]),
        (Cron("0 30 2 * * *", tz=BERLIN), ["00:30", "01:30"]),
    ],
    ids=str,
)
def test_an_autumn_day_in_berlin(schedule: Schedule, expected: list[str]) -> None:
    assert at(AUTUMN, schedule) == expected


def test_where_one_minute_past_midnight_repeats_the_hour_before_time_goes_on() -> None:
    # CronSim, given the zone, names 00:00 for ever: jumping to the matching day leads back to its first passage.
    schedule = Cron("* * 29 10 *", tz="America/St_Johns")
    first, second, third = schedule.between(
        datetime(2006, 10, 28, 12, tzinfo=UTC), datetime(2006, 11, 1, tzinfo=UTC), limit=3
    )
    assert (first, second) == (datetime(2006, 10, 29, 2, 30, tzinfo=UTC), datetime(2006, 10, 29, 3, 30, tzinfo=UTC))
    assert third == second + timedelta(minutes=1)
