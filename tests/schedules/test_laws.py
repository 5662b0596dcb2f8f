"""What holds for every schedule at every moment, and what it costs at most."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsched import Cron, DailyAt, Every
from asyncsched.errors import ScheduleError
from asyncsched.schedules import Schedule
from tests.schedules.moments import HALF_AS_MANY, MOMENTS, Night, moments_near, nights
from tests.support.counted import Counted

GAPS = st.sampled_from(["run_after", "skip"])
MINUTES = st.sampled_from(["0", "30", "0,1,59", "10-20"])
HOURS = st.sampled_from(["0", "1", "2", "3", "23", "0-23", "1,2"])
DAYS = st.sampled_from(["*", "*/2", "L"])


def schedules_in(zone: str) -> st.SearchStrategy[Schedule]:
    folds = st.sampled_from(["first", "second", "both"])
    at_fixed_times = st.builds("{} {} {} * *".format, MINUTES, HOURS, DAYS)
    by_the_clock = st.sampled_from(["* * * * *", "*/7 2 * * *", "1 */2 * * SUN", "*/20 0 */2 * *", "*/9 * 2 * * *"])
    return st.one_of(
        st.builds(DailyAt, st.integers(0, 23), st.integers(0, 59), tz=st.just(zone), gap=GAPS, fold=folds),
        st.builds(Cron, at_fixed_times, tz=st.just(zone), gap=GAPS, fold=folds),
        st.builds(Cron, by_the_clock, tz=st.just(zone), gap=GAPS),
        st.builds(Every, st.floats(0.05, 100_000), offset=st.floats(0, 0.04)),
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[Schedule, datetime, datetime]:
    """Draw a schedule and two moments in order, mostly of a night on which clocks change."""
    night: Night = draw(nights())
    moments = st.one_of(moments_near(night), moments_near(night), MOMENTS)
    earlier, later = sorted([draw(moments), draw(moments)])
    return draw(schedules_in(night.zone)), earlier, later


@HALF_AS_MANY
@given(case=cases())
def test_the_next_occurrence_is_later_and_in_utc(case: tuple[Schedule, datetime, datetime]) -> None:
    schedule, moment, _ = case
    following = schedule.next_after(moment)
    assert following > moment
    assert following.tzinfo is UTC


@HALF_AS_MANY
@given(case=cases())
def test_a_later_moment_never_has_an_earlier_occurrence(case: tuple[Schedule, datetime, datetime]) -> None:
    schedule, earlier, later = case
    assert schedule.next_after(earlier) <= schedule.next_after(later)


@HALF_AS_MANY
@given(case=cases(), share=st.floats(0, 1, exclude_max=True))
def test_until_the_next_occurrence_it_stays_the_next(case: tuple[Schedule, datetime, datetime], share: float) -> None:
    schedule, moment, _ = case
    following = schedule.next_after(moment)
    between = min(moment + share * (following - moment), following - timedelta(microseconds=1))
    assert schedule.next_after(between) == following


@HALF_AS_MANY
@given(case=cases())
def test_the_zone_in_which_the_moment_is_written_does_not_matter(case: tuple[Schedule, datetime, datetime]) -> None:
    schedule, moment, _ = case
    for zone in ("Europe/Berlin", "Pacific/Apia"):
        assert schedule.next_after(moment.astimezone(ZoneInfo(zone))) == schedule.next_after(moment)


@HALF_AS_MANY
@given(case=cases())
def test_looking_back_finds_the_occurrence_that_looking_forward_leaves(
    case: tuple[Schedule, datetime, datetime],
) -> None:
    schedule, moment, _ = case
    latest = schedule.latest_until(moment)
    assert latest is not None
    assert latest <= moment < schedule.next_after(latest)
    assert schedule.next_after(latest - timedelta(microseconds=1)) == latest


@HALF_AS_MANY
@given(case=cases())
def test_a_preview_is_the_chain_of_next_occurrences(case: tuple[Schedule, datetime, datetime]) -> None:
    schedule, start, end = case
    preview = list(schedule.between(start, end, limit=20))
    chain, moment = [], start
    while len(chain) < 20 and (moment := schedule.next_after(moment)) <= end:
        chain.append(moment)
    assert preview == chain
    assert schedule.count_between(start, end, limit=20) == len(chain)


NOW = datetime(2026, 1, 1, tzinfo=UTC)
YEAR_2200 = datetime(2200, 1, 1, tzinfo=UTC)


COUNTED = [Cron("* * * * * *", tz="Europe/Berlin"), Cron("30 2 * * *", tz="Europe/Berlin"), DailyAt(3), Every(0.05)]


@pytest.mark.parametrize("schedule", COUNTED, ids=str)
def test_looking_back_from_the_year_2200_takes_few_questions(schedule: Schedule) -> None:
    counted = Counted(schedule)
    assert counted.latest_until(YEAR_2200) == schedule.latest_until(YEAR_2200)
    assert counted.calls <= 60


@pytest.mark.parametrize("schedule", COUNTED, ids=str)
def test_counting_up_to_the_year_2200_ends_at_the_limit(schedule: Schedule) -> None:
    counted = Counted(schedule)
    assert counted.count_between(NOW, YEAR_2200, limit=50) == 50
    assert counted.calls == 50
    assert counted.count_between(NOW, YEAR_2200) == 100


@pytest.mark.parametrize("schedule", COUNTED, ids=str)
def test_a_clock_set_back_from_the_year_2200_leaves_nothing_to_count(schedule: Schedule) -> None:
    counted = Counted(schedule)
    assert counted.count_between(YEAR_2200, NOW) == 0
    assert counted.calls <= 1


def test_a_preview_stops_by_itself_after_a_thousand() -> None:
    assert len(list(Every(1).between(NOW, YEAR_2200))) == 1000


def test_a_preview_begins_after_its_start_and_includes_its_end() -> None:
    hours = [NOW + timedelta(hours=number) for number in range(4)]
    assert list(Every(3600).between(hours[0], hours[3])) == hours[1:]


@pytest.mark.parametrize("expression", ["* * * * * *", "* * * * *", "0 0 * * *"])
def test_an_occurrence_is_its_own_latest(expression: str) -> None:
    assert Cron(expression).latest_until(NOW) == NOW


def test_what_has_not_come_for_years_has_no_latest_occurrence() -> None:
    # 2100 is no leap year: seven years and eleven months after 29 February 2096 there is still none.
    leap_day = Cron("0 0 29 2 *")
    assert leap_day.latest_until(datetime(2104, 2, 28, tzinfo=UTC)) is None
    assert leap_day.latest_until(datetime(2100, 2, 28, tzinfo=UTC)) == datetime(2096, 2, 29, tzinfo=UTC)
    assert leap_day.latest_until(datetime(2100, 3, 5, tzinfo=UTC)) is None


OUTSIDE = [
    datetime.min.replace(tzinfo=UTC),
    datetime(1899, 12, 31, tzinfo=UTC),
    datetime(9999, 1, 1, tzinfo=UTC),
    datetime.max.replace(tzinfo=UTC),
]
OUTERMOST = [datetime(1900, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC)]
ONE_OF_EACH = [Every(86_400), DailyAt(3), DailyAt(3, tz="Pacific/Apia"), Cron("0 0 * * *", tz="America/New_York")]


@pytest.mark.parametrize("schedule", ONE_OF_EACH, ids=str)
@pytest.mark.parametrize("question", ["next_after", "latest_until"])
def test_a_naive_moment_is_refused(schedule: Schedule, question: str) -> None:
    with pytest.raises(ScheduleError, match="no time zone"):
        getattr(schedule, question)(datetime(2026, 1, 1))  # noqa: DTZ001 - naive is the point


@pytest.mark.parametrize("schedule", ONE_OF_EACH, ids=str)
@pytest.mark.parametrize("question", ["next_after", "latest_until"])
@pytest.mark.parametrize("moment", OUTSIDE, ids=str)
def test_a_moment_at_the_ends_of_the_calendar_is_refused(schedule: Schedule, question: str, moment: datetime) -> None:
    with pytest.raises(ScheduleError, match="years 1900 to 9998"):
        getattr(schedule, question)(moment)


@pytest.mark.parametrize("schedule", ONE_OF_EACH, ids=str)
@pytest.mark.parametrize("moment", OUTERMOST, ids=str)
def test_the_first_and_last_moments_that_are_not_refused_have_a_next_occurrence(
    schedule: Schedule, moment: datetime
) -> None:
    assert timedelta(0) < schedule.next_after(moment) - moment <= timedelta(days=1)
