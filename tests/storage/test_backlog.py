"""What waits to be written: what shares a row, what is summed up when there is too much, and that nothing is lost."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsched import Every, History
from asyncsched.engine.runs import RunResult, RunStatus, Settled, Skipped, SkipReason, Stall, Trigger
from asyncsched.registry import Task
from asyncsched.storage.backlog import Backlog
from asyncsched.storage.records import Record
from asyncsched.storage.skips import Tally
from tests.engine.conftest import make_task
from tests.storage.histories import KEPT, RARE, SUMMED, Table, counted_runs, counted_skips, missed, ran, taken
from tests.storage.test_store_contract import NOON

STALL = Stall(culprit="task summed", where="shop/tasks.py:12 (summed)", stack="", began_at=NOON, seconds=0.4)


@pytest.fixture
def backlog() -> Backlog:
    return Backlog(replica="here", slow_run=1.0)


def seconds(moment: Any) -> float:
    return (moment - NOON).total_seconds()


def records(backlog: Backlog) -> tuple[Record, ...]:
    return taken(backlog).records


def tallies(backlog: Backlog) -> tuple[Tally, ...]:
    return taken(backlog).tallies


class TestSharedRow:
    """The successes of a task below a minute, with ``history="summary"``."""

    def test_those_of_one_minute_become_one_row_with_the_worst_of_them(self, backlog: Backlog) -> None:
        for at, duration, lateness in [(0, 0.01, 0.002), (2, 0.5, 0.001), (58, 0.02, 0.3)]:
            backlog.add(SUMMED, ran(SUMMED, at, duration=duration, lateness=lateness))
        (row,) = records(backlog)
        assert (row.status, row.count, row.duration, row.lateness) == (RunStatus.SUCCEEDED, 3, 0.5, 0.3)
        assert (seconds(row.scheduled_for), seconds(row.started_at), seconds(row.finished_at)) == (0, 0, 58.02)

    def test_each_minute_has_its_own(self, backlog: Backlog) -> None:
        for at in (58, 60, 62):
            backlog.add(SUMMED, ran(SUMMED, at))
        assert [(seconds(row.scheduled_for), row.count) for row in records(backlog)] == [(58, 1), (60, 2)]

    def test_so_has_each_term(self, backlog: Backlog) -> None:
        for at, term in [(0, 7), (2, 7), (4, 9)]:
            backlog.add(SUMMED, ran(SUMMED, at, term=term))
        assert [(row.term, row.count) for row in records(backlog)] == [(7, 2), (9, 1)]

    @pytest.mark.parametrize(
        ("facts", "why"),
        [
            ({"status": RunStatus.FAILED, "error": "no"}, "it failed"),
            ({"status": RunStatus.TIMED_OUT}, "it took too long"),
            ({"status": RunStatus.CANCELLED}, "it was cut off"),
            ({"stall": STALL}, "it blocked the loop"),
            ({"duration": 1.1}, "it was slow"),
            ({"has_row": True}, "it was claimed"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_what_is_worth_a_look_has_a_row_of_its_own(self, backlog: Backlog, facts: dict[str, Any], why: str) -> None:
        backlog.add(SUMMED, ran(SUMMED, 0))
        backlog.add(SUMMED, ran(SUMMED, 2, **facts))
        backlog.add(SUMMED, ran(SUMMED, 4))
        assert sorted(row.count for row in records(backlog)) == [1, 2]

    def test_how_slow_is_slow_is_a_setting(self) -> None:
        backlog = Backlog(replica="here", slow_run=5.0)
        for at in (0, 2):
            backlog.add(SUMMED, ran(SUMMED, at, duration=4.9))
        assert [row.count for row in records(backlog)] == [2]

    def test_it_is_held_back_until_its_minute_is_over(self, backlog: Backlog) -> None:
        for at in (0, 60):
            backlog.add(SUMMED, ran(SUMMED, at))
        batch = taken(backlog, but=NOON + timedelta(minutes=1))
        assert [seconds(row.scheduled_for) for row in batch.records] == [0]
        assert [seconds(row.scheduled_for) for row in records(backlog)] == [60]

    def test_a_run_that_ends_after_its_minute_was_written_begins_another_row(self, backlog: Backlog) -> None:
        table = Table()
        backlog.add(SUMMED, ran(SUMMED, 0))
        table.write(taken(backlog, but=NOON + timedelta(minutes=1)))
        backlog.add(SUMMED, ran(SUMMED, 30))
        table.write(taken(backlog, but=NOON + timedelta(minutes=1)))
        assert counted_runs(table.records.values()) == {("summed", "succeeded"): 2}

    def test_a_result_is_told_if_it_was_the_same_each_time(self, backlog: Backlog) -> None:
        for at, value in [(0, "312"), (2, "312"), (60, "1"), (62, "2")]:
            backlog.add(SUMMED, ran(SUMMED, at, value=value))
        assert [row.value for row in records(backlog)] == ["312", None]

    @pytest.mark.parametrize(("policy", "rows"), [(History.ALL, 3), (History.FAILURES, 1), (History.NONE, 0)])
    def test_the_other_policies_sum_nothing_up(self, backlog: Backlog, policy: History, rows: int) -> None:
        task = make_task(schedule=Every(2), history=policy)
        backlog.add(task, ran(task, 0, RunStatus.FAILED, error="no"))
        for at in (2, 4):
            backlog.add(task, ran(task, at))
        assert [row.count for row in records(backlog)] == [1] * rows


class TestStanding:
    """How a task stands is one thing, however much has happened."""

    def test_totals_count_what_ran_and_what_failed(self, backlog: Backlog) -> None:
        for at, status in enumerate(RunStatus):
            backlog.add(KEPT, ran(KEPT, at, status))
        (standing,) = taken(backlog).standings
        assert (standing.runs, standing.failures) == (len(RunStatus) - 1, 3)  # one was skipped; abandoned is a failure

    def test_of_what_is_settled_only_the_latest_is_kept(self, backlog: Backlog) -> None:
        for at in range(1_000):
            backlog.add(RARE, Settled(task="rare", until=NOON + timedelta(hours=at)))
        (standing,) = taken(backlog).standings
        assert len(backlog) == 0
        assert standing.cursor == NOON + timedelta(hours=999)

    def test_what_was_handed_over_is_not_counted_again(self, backlog: Backlog) -> None:
        backlog.add(KEPT, ran(KEPT, 0))
        taken(backlog)
        backlog.add(KEPT, ran(KEPT, 2))
        assert [one.runs for one in taken(backlog).standings] == [1]

    def test_the_next_run_is_that_of_the_schedule(self, backlog: Backlog) -> None:
        disabled = make_task(schedule=Every(2), name="disabled", enabled=False)
        for task in (RARE, disabled):
            backlog.add(task, Settled(task=task.name, until=NOON))
        found = {one.name: one.next_run_at(NOON) for one in taken(backlog).standings}
        assert found == {"rare": NOON + timedelta(hours=1), "disabled": None}


class TestTooMuch:
    """The database has been away for long."""

    def folded(self, backlog: Backlog, most: int) -> list[str]:
        backlog.take_in()
        return backlog.fold(most, but=NOON - timedelta(days=1))

    def test_nothing_is_summed_up_as_long_as_there_is_room(self, backlog: Backlog) -> None:
        for at in range(10):
            backlog.add(KEPT, ran(KEPT, at))
        assert self.folded(backlog, 10) == []
        assert len(backlog) == 10

    def test_the_oldest_successes_go_first_whatever_the_history_policy(self, backlog: Backlog) -> None:
        for at in range(0, 240, 20):
            backlog.add(KEPT, ran(KEPT, at))
        backlog.add(KEPT, ran(KEPT, 1, RunStatus.FAILED, error="no"))
        assert self.folded(backlog, 9) == ["ordinary runs of each minute"]
        found = [(row.status.value, row.count) for row in records(backlog)]
        assert found == [("succeeded", 3), ("succeeded", 3), *[("succeeded", 1)] * 6, ("failed", 1)]

    def test_then_what_did_not_run(self, backlog: Backlog) -> None:
        for at in range(0, 600, 60):
            backlog.skip(RARE, missed(RARE, at))
            backlog.add(KEPT, ran(KEPT, at, RunStatus.FAILED, error="no"))
        assert self.folded(backlog, 12) == ["what did not run in each hour"]
        assert [(seconds(one.first), seconds(one.last), one.count) for one in tallies(backlog)] == [(0, 540, 10)]

    def test_then_failures_that_say_the_same_with_the_first_the_last_and_its_traceback(self, backlog: Backlog) -> None:
        for at in (0, 2, 4):
            backlog.add(KEPT, ran(KEPT, at, RunStatus.FAILED, error="no", traceback=f"at {at}"))
        backlog.add(KEPT, ran(KEPT, 6, RunStatus.FAILED, error="other"))
        assert self.folded(backlog, 2) == ["failures of each minute that say the same"]
        row, other = records(backlog)
        assert (row.count, row.error, row.traceback) == (3, "no", "at 4")
        assert (seconds(row.scheduled_for), seconds(row.finished_at)) == (0, 4.01)
        assert (other.count, other.error) == (1, "other")

    def test_then_longer_spans_and_in_the_end_a_row_for_all(self, backlog: Backlog) -> None:
        for hours in range(48):
            for at in (0, 120, 240):
                backlog.add(KEPT, ran(KEPT, 3600 * hours + at))
                backlog.add(KEPT, ran(KEPT, 3600 * hours + at + 1, RunStatus.FAILED, error=f"no {hours} {at}"))
        assert self.folded(backlog, 200)[-1] == "ordinary runs of each hour"
        assert self.folded(backlog, 2)[-1] == "all failures"
        assert [(row.status.value, row.count) for row in records(backlog)] == [("succeeded", 144), ("failed", 144)]

    def test_what_a_claim_has_put_into_the_table_stays_for_its_own_outcome(self, backlog: Backlog) -> None:
        for at in range(5):
            backlog.add(RARE, ran(RARE, at, RunStatus.FAILED, error="no", has_row=True))
        self.folded(backlog, 1)
        assert [row.count for row in records(backlog)] == [1] * 5

    def test_what_has_a_row_already_is_not_counted_into_another(self, backlog: Backlog) -> None:
        table = Table()
        backlog.skip(SUMMED, missed(SUMMED, 0))
        table.write(taken(backlog))
        backlog.skip(SUMMED, missed(SUMMED, 2))  # of the same minute: that row grows
        backlog.skip(SUMMED, missed(SUMMED, 60))
        self.folded(backlog, 1)
        table.write(taken(backlog))
        assert [(seconds(one.first), one.count) for one in table.tallies.values()] == [(0, 2), (60, 1)]


TASKS = {
    task.name: task for task in (SUMMED, KEPT, RARE, make_task(schedule=Every(2), name="bad", history=History.FAILURES))
}
RUNS = st.builds(
    lambda name, status, error, slow: (
        lambda at: ran(
            TASKS[name], at, status, error=error if status.is_failure else None, duration=2.0 if slow else 0.01
        )
    ),
    st.sampled_from(sorted(TASKS)),
    st.sampled_from([*[RunStatus.SUCCEEDED] * 4, RunStatus.FAILED, RunStatus.TIMED_OUT, RunStatus.SKIPPED]),
    st.sampled_from(["no", "no route", "nothing"]),
    st.integers(0, 9).map(lambda one: one == 0),
)
SKIPS = st.builds(
    lambda name, reason, count: lambda at: missed(TASKS[name], at, reason, count),
    st.sampled_from(sorted(TASKS)),
    st.sampled_from([SkipReason.OVERLAP, SkipReason.PAUSED]),
    st.integers(1, 5),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([0.25, 2, 2, 20, 61, 3_601]), st.one_of(RUNS, SKIPS)),
        st.sampled_from(["write", "write a part", "too much"]),
    ),
    max_size=120,
)


def expected_rows(result: RunResult, task: Task) -> bool:
    """Say by the words of the reference whether a run is told of in a row, alone or with others."""
    if task.options.history is History.FAILURES:
        return result.status.is_failure
    return result.status is not RunStatus.SKIPPED or task.options.history is History.ALL


@given(STEPS, st.integers(1, 12))
def test_whatever_happens_and_however_long_it_waits_all_counts_add_up(
    steps: list[str | tuple[float, Callable[[float], RunResult | Skipped]]], most: int
) -> None:
    backlog, table, at = Backlog(replica="here", slow_run=1.0), Table(), 0.0
    runs: Counter[tuple[str, str]] = Counter()
    skips: Counter[tuple[str, str]] = Counter()
    failures: Counter[str] = Counter()
    for step in steps:
        this_minute = (NOON + timedelta(seconds=at)).replace(second=0, microsecond=0)
        if step == "write":
            while batch := taken(backlog, 200, but=this_minute):
                table.write(batch)
        elif step == "write a part":
            table.write(taken(backlog, 2, but=this_minute))
        elif step == "too much":
            backlog.take_in()
            backlog.fold(most, but=this_minute)
        elif isinstance(step, tuple):
            at += step[0]
            event = step[1](at)
            task = TASKS[event.task]
            if isinstance(event, Skipped):
                backlog.skip(task, event)
                skips[event.task, event.reason.value] += event.count
                continue
            backlog.add(task, event)
            runs[event.task, event.status.value] += expected_rows(event, task)
            failures[event.task] += event.status.is_failure
    while batch := taken(backlog, 7):
        table.write(batch)
    assert counted_runs(table.records.values()) == +runs
    assert counted_skips(table.tallies.values()) == +skips
    assert +table.failures == +failures
    assert not backlog


@given(st.lists(st.tuples(st.sampled_from([0.25, 2, 20, 3_601]), RUNS), max_size=200))
def test_what_is_kept_is_bounded_by_the_number_of_tasks_and_not_by_what_happens(steps: list[Any]) -> None:
    backlog, at = Backlog(replica="here", slow_run=1.0), 0.0
    for passed, event in steps:
        at += passed
        result = event(at)
        backlog.add(TASKS[result.task], result)
    backlog.fold(1, but=NOON - timedelta(days=1))
    assert len(backlog) <= len(TASKS) * len(RunStatus) * len(Trigger)
