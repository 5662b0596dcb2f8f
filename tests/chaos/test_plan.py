"""The same seed breaks the same things, and every kind of breakage has its turn."""

from tests.chaos import plan
from tests.chaos.plan import ON_PROCESSES, Kind


def _acts(seed: int) -> tuple[plan.Act, ...]:
    return plan.acts(seed, seconds=120, replicas=5, lease=10, kinds=tuple(Kind))


def test_the_same_seed_makes_the_same_plan() -> None:
    assert _acts(7) == _acts(7)
    assert plan.skews(7, replicas=5) == plan.skews(7, replicas=5)


def test_another_seed_makes_another_plan() -> None:
    assert _acts(7) != _acts(8)
    assert plan.skews(7, replicas=5) != plan.skews(8, replicas=5)


def test_two_minutes_break_everything_there_is() -> None:
    assert all({act.kind for act in _acts(seed)} == set(Kind) for seed in range(100))


def test_only_what_is_asked_for_is_broken() -> None:
    planned = plan.acts(7, seconds=60, replicas=3, lease=4, kinds=ON_PROCESSES)
    assert {act.kind for act in planned} == set(ON_PROCESSES)


def test_a_stopped_process_is_stopped_for_longer_than_its_lease() -> None:
    assert all(act.length > 10 for act in _acts(7) if act.kind is Kind.STOP)


def test_two_clocks_are_wrong_by_the_most_and_none_by_more() -> None:
    skews = plan.skews(7, replicas=5)
    assert (min(skews), max(skews)) == (-plan.MOST_SKEW, plan.MOST_SKEW)
