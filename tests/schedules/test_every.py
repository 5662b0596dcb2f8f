"""A fixed rate on a grid aligned to the epoch."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from asyncsched import Every
from asyncsched.engine import planner
from asyncsched.errors import ScheduleError
from tests.engine.conftest import make_task
from tests.schedules.moments import MOMENTS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INTERVALS = st.one_of(
    st.floats(min_value=0.05, max_value=366 * 86_400, allow_nan=False),
    st.integers(min_value=1, max_value=366 * 86_400),
    st.sampled_from([0.05, 0.1, 1 / 3, 1, 2, 5, 60, 3600, 86_400]),
)


@given(seconds=INTERVALS, moment=MOMENTS)
def test_the_next_occurrence_is_later_and_within_one_interval(seconds: float, moment: datetime) -> None:
    following = Every(seconds).next_after(moment)
    assert timedelta(0) < following - moment <= timedelta(seconds=seconds) + timedelta(microseconds=1)


@given(seconds=INTERVALS, moment=MOMENTS)
def test_looking_back_finds_the_occurrence_that_looking_forward_leaves(seconds: float, moment: datetime) -> None:
    schedule = Every(seconds)
    assert schedule.latest_until(moment) <= moment
    assert schedule.next_after(schedule.latest_until(moment)) == schedule.next_after(moment)


@given(seconds=INTERVALS, share=st.floats(0, 1, exclude_max=True), number=st.integers(min_value=1, max_value=10**7))
def test_it_never_leaves_the_grid(seconds: float, share: float, number: int) -> None:
    offset = share * seconds if share * seconds < seconds else 0.0
    exact = Fraction(str(seconds)) * number + Fraction(str(offset))
    assume(exact < 100 * 366 * 86_400)
    before = EPOCH + timedelta(microseconds=int(exact * 1_000_000) - 1)
    named = Fraction((Every(seconds, offset=offset).next_after(before) - EPOCH) // timedelta(microseconds=1), 1_000_000)
    assert 0 <= exact - named < Fraction(1, 1_000_000)


@pytest.mark.parametrize("seconds", [0.05, 0.1, 1 / 3, 2, 7.3])
def test_after_ten_million_periods_one_by_one_it_is_where_it_should_be(seconds: float) -> None:
    schedule, number = Every(seconds), 10**7
    assert schedule.count_between(EPOCH, schedule.latest_until(at_exactly(seconds, number)), limit=2 * number) == number
    moment = at_exactly(seconds, number - 1000)
    for step in range(number - 999, number + 1):
        moment = schedule.next_after(moment)
        assert moment == at_exactly(seconds, step)


def at_exactly(seconds: float, number: int) -> datetime:
    """Return the instant of the *number*-th period, cut to the microsecond."""
    return EPOCH + timedelta(microseconds=int(Fraction(str(seconds)) * number * 1_000_000))


@given(moment=MOMENTS)
def test_two_replicas_name_the_same_instants(moment: datetime) -> None:
    assert Every(7, offset=3).next_after(moment) == Every(7, offset=3).next_after(
        moment.astimezone(UTC) + timedelta(microseconds=0)
    )
    assert (Every(7, offset=3).next_after(moment) - EPOCH) % timedelta(seconds=7) == timedelta(seconds=3)


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=2, unique=True), st.floats(0.01, 0.99))
def test_jitter_is_stable_and_never_reorders(numbers: list[int], share: float) -> None:
    task = make_task(schedule=Every(2, jitter=share * 0.999))
    first, second = (EPOCH + timedelta(seconds=2 * number) for number in sorted(numbers))
    assert planner.due_at(task, first) == planner.due_at(task, first)
    assert planner.due_at(task, first) < planner.due_at(task, second)
    assert abs(planner.due_at(task, first) - first) <= timedelta(seconds=share)


def test_a_clock_in_the_year_2200_costs_arithmetic_only() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    far = datetime(2200, 1, 1, tzinfo=UTC)
    assert Every(0.05).count_between(now, far) == (far - now) // timedelta(milliseconds=50)


def test_it_counts_no_further_than_it_is_told() -> None:
    assert Every(1).count_between(EPOCH, EPOCH + timedelta(days=1), limit=1000) == 1000


@pytest.mark.parametrize("offset", [1e-9, 0.1 + 0.2, 1 / 3, 0.999_999_4])
def test_an_offset_finer_than_a_microsecond_is_kept_until_the_end(offset: float) -> None:
    exact = 3 * Fraction(str(1.000_000_1)) + Fraction(str(offset))
    moment = EPOCH + timedelta(microseconds=int(exact * 1_000_000))
    assert Every(1.000_000_1, offset=offset).next_after(moment - timedelta(microseconds=1)) == moment


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"seconds": 0}, r"^Every\(seconds=0\): must be between 0.05 s and 31622400 s \(a year\)$"),
        ({"seconds": -1}, "must be between"),
        ({"seconds": 0.04}, "must be between"),
        ({"seconds": float("nan")}, "finite"),
        ({"seconds": float("inf")}, "finite"),
        ({"seconds": 10**12}, "a year"),
        ({"seconds": "2"}, "must be a finite number"),
        ({"seconds": True}, "must be a finite number"),
        ({"seconds": 2, "jitter": 1}, r"below half the interval \(1 s\), or runs could change places$"),
        ({"seconds": 2, "jitter": -0.1}, "jitter must be at least 0"),
        (
            {"seconds": 2, "offset": 2},
            r"^Every\(seconds=2, offset=2\): offset must be at least 0 and below the interval$",
        ),
    ],
)
def test_nonsense_is_refused_by_name(arguments: dict[str, float], complaint: str) -> None:
    with pytest.raises(ScheduleError, match=complaint):
        Every(**arguments)


def test_the_end_of_time_is_an_error_and_not_a_crash() -> None:
    last = datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC)
    interval = timedelta(days=366)
    begun_just_now = Every(interval.total_seconds(), offset=((last - EPOCH) % interval).total_seconds())
    with pytest.raises(ScheduleError, match=r": no further occurrence before the year 9999 ends$"):
        begun_just_now.next_after(last)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Every(2), "every 2 s"),
        (Every(2, jitter=0.2), "every 2 s ± 0.2 s"),
        (Every(0.25), "every 250 ms"),
        (Every(300), "every 5 min"),
        (Every(3600), "every 1 h"),
        (Every(5400), "every 1 h 30 min"),
        (Every(90), "every 1 min 30 s"),
        (Every(60), "every 1 min"),
        (Every(1), "every 1 s"),
        (Every(59), "every 59 s"),
        (Every(1.5), "every 1.5 s"),
        (Every(1 / 3), "every 333.333 ms"),
        (Every(86_400.5), "every 86400.5 s"),
        (Every(1_234_567), "every 14 d 6 h 56 min 7 s"),
        (Every(3600, offset=300), "every 1 h, shifted by 5 min"),
        (Every(60, jitter=2, offset=0.5), "every 1 min ± 2 s, shifted by 500 ms"),
    ],
)
def test_it_says_what_it_is(schedule: Every, words: str) -> None:
    assert schedule.describe() == words
