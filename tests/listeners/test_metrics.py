"""What is counted of each task."""

import tracemalloc
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsched.engine.runs import Claim, Occurrence, RunResult, RunStatus, Skipped, SkipReason, Stall
from asyncsched.listeners.metrics import ENDINGS, LATENESS, OTHER, REASONS, Histogram, MetricsListener

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS = st.floats(min_value=0, max_value=10_000)


def ended(task: str = "water", status: RunStatus = RunStatus.SUCCEEDED, **facts: float) -> RunResult:
    claim = Claim(run_id="1", occurrence=Occurrence(task=task, scheduled_for=NOW))
    return RunResult(claim=claim, status=status, started_at=NOW, finished_at=NOW, **{"duration": 0.1} | facts)


def stall(task: str | None, seconds: float = 1.0) -> Stall:
    return Stall(culprit="somebody", where="tasks.py:1 (f)", stack="", began_at=NOW, seconds=seconds, task=task)


def skipped(task: str, reason: SkipReason, count: int = 1) -> Skipped:
    return Skipped(task=task, scheduled_for=NOW, reason=reason, count=count)


@pytest.fixture
def listener() -> MetricsListener:
    return MetricsListener(["water", "report"], ["mqtt"])


def test_everything_there_can_be_is_there_from_the_start(listener: MetricsListener) -> None:
    assert dict(listener.runs) == {(task, status): 0 for task in ("water", "report") for status in ENDINGS}
    assert {key for key in listener.skipped if key[0] == "report"} == {("report", reason) for reason in REASONS}
    assert listener.durations.keys() == listener.lateness.keys() == {"water", "report"}
    assert listener.stalls.keys() == listener.restarts.keys() == {"water", "report", "mqtt", OTHER}


@pytest.mark.parametrize("status", ENDINGS)
def test_a_run_is_counted_by_how_it_ended(listener: MetricsListener, status: RunStatus) -> None:
    listener.run_finished(ended(status=status))

    assert +listener.runs == {("water", status): 1}


def test_a_runs_duration_and_lateness_are_observed(listener: MetricsListener) -> None:
    listener.run_finished(ended(duration=2.0, lateness=0.25))

    assert (listener.durations["water"].sum, listener.lateness["water"].sum) == (2.0, 0.25)
    assert listener.durations["report"].cumulative[-1] == 0


def test_what_the_predicate_kept_from_running_has_no_duration(listener: MetricsListener) -> None:
    listener.run_finished(ended(status=RunStatus.SKIPPED))

    assert listener.durations["water"].cumulative[-1] == listener.lateness["water"].cumulative[-1] == 0


def test_lateness_on_a_clock_that_was_set_back_counts_as_none(listener: MetricsListener) -> None:
    listener.run_finished(ended(lateness=-5.0))

    assert (listener.lateness["water"].sum, listener.lateness["water"].cumulative[0]) == (0.0, 1)


def test_every_skipped_occurrence_is_counted(listener: MetricsListener) -> None:
    listener.occurrences_skipped(skipped("water", SkipReason.COALESCED, 40))
    listener.occurrences_skipped(skipped("water", SkipReason.COALESCED, 2))

    assert +listener.skipped == {("water", "coalesced"): 42}


def test_tasks_that_are_not_registered_any_more_share_one_number(listener: MetricsListener) -> None:
    for name in ("gone", "gone too"):
        listener.occurrences_skipped(skipped(name, SkipReason.UNKNOWN_TASK))

    assert +listener.skipped == {(OTHER, "unknown_task"): 2}


@pytest.mark.parametrize(("culprit", "name"), [("water", "water"), ("mqtt", "mqtt"), (None, OTHER), ("gone", OTHER)])
def test_a_stall_is_held_against_who_caused_it(listener: MetricsListener, culprit: str | None, name: str) -> None:
    listener.stalled(stall(culprit, 1.5))

    assert {task for task, found in listener.stalls.items() if found.sum} == {name}
    assert listener.stalls[name].sum == 1.5


@pytest.mark.parametrize(("who", "name"), [("water", "water"), ("mqtt", "mqtt"), ("clock watch", OTHER)])
def test_restarts_are_counted_by_task_and_service(listener: MetricsListener, who: str, name: str) -> None:
    listener.restarted(who, OSError("broken"), 1.0)

    assert {task: count for task, count in listener.restarts.items() if count} == {name: 1}


@given(st.lists(st.text(min_size=1).filter(lambda name: name != "water")))
def test_whatever_names_come_the_numbers_stay_as_many(names: list[str]) -> None:
    listener = MetricsListener(["water"])
    before = (len(listener.skipped), len(listener.stalls), len(listener.restarts))

    for name in names:
        listener.occurrences_skipped(skipped(name, SkipReason.UNKNOWN_TASK))
        listener.stalled(stall(name))
        listener.restarted(name, None, 0.0)

    assert (len(listener.skipped), len(listener.stalls), len(listener.restarts)) == before


def test_two_schedulers_in_a_process_count_apart() -> None:
    one, other = MetricsListener(["water"]), MetricsListener(["water"])
    one.run_finished(ended())

    assert (+one.runs, +other.runs) == ({("water", "succeeded"): 1}, {})


@given(st.lists(SECONDS | st.sampled_from(LATENESS)))
def test_a_histogram_counts_what_lies_at_or_below_each_bound(observed: list[float]) -> None:
    histogram = Histogram(LATENESS)
    for seconds in observed:
        histogram.observe(seconds)

    assert histogram.cumulative[:-1] == [sum(seconds <= bound for seconds in observed) for bound in LATENESS]
    assert histogram.cumulative[-1] == len(observed)
    assert histogram.sum == pytest.approx(sum(observed))


def test_a_thousand_tasks_that_run_cost_less_than_a_megabyte() -> None:
    names = [f"task {number}" for number in range(1_000)]
    results = [ended(name, duration=number / 1_000, lateness=0.001) for number, name in enumerate(names)]
    tracemalloc.start()
    try:
        listener = MetricsListener(names)
        idle, _ = tracemalloc.get_traced_memory()
        for result in results:
            listener.run_finished(result)
        running, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert idle < 150_000
    assert running < 1_000_000


# What the database tells


def test_nothing_is_overdue_before_anybody_has_looked(listener: MetricsListener) -> None:
    assert listener.overdue == {"water": 0, "report": 0}
    assert listener.last_success == {}


def test_a_look_tells_who_is_overdue_and_of_successes_from_before(listener: MetricsListener) -> None:
    listener.looked({"water": NOW}, ["report"])
    listener.looked({"water": NOW}, ["report", "of another version"])

    assert listener.overdue == {"water": 0, "report": 1}
    assert listener.last_success == {"water": NOW.timestamp()}


def test_a_success_here_counts_at_once_and_an_older_one_does_not_take_it_back(listener: MetricsListener) -> None:
    listener.run_finished(ended())
    listener.run_finished(ended(status=RunStatus.FAILED))
    listener.looked({"water": NOW.replace(year=2025)}, [])

    assert listener.last_success == {"water": NOW.timestamp()}
