"""Simulating a schedule gives what the engine does, however it is computed."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsched import CatchUp, Cron, DailyAt, Every, Overlap, Retry, current_run
from asyncsched.engine.runs import Occurrence, RunStatus, SkipReason, Trigger
from asyncsched.engine.simulation import simulate
from asyncsched.engine.virtual import Runs, VirtualRun
from asyncsched.errors import UnknownTask
from asyncsched.registry import Task, registry
from asyncsched.testing import VirtualScheduler
from tests.engine.conftest import make_task

START = datetime(2026, 10, 24, 12, tzinfo=UTC)  # the night before clocks go back in Berlin
SECOND = timedelta(seconds=1)


def at(**length: float) -> datetime:
    return START + timedelta(**length)


@dataclass(frozen=True)
class World:
    """A task, and all that happens to it."""

    task: Task
    length: timedelta
    outages: list[tuple[datetime, datetime]] = field(default_factory=list)
    pauses: list[tuple[datetime, datetime]] = field(default_factory=list)
    steps: list[tuple[datetime, timedelta]] = field(default_factory=list)
    takes: timedelta = timedelta(0)
    fails: Callable[[Occurrence], bool] | None = None

    def simulated(self, *, by_stretches: bool = True) -> Runs:
        return simulate(
            [self.task],
            START,
            START + self.length,
            outages=self.outages,
            pauses={"task": self.pauses},
            steps=self.steps,
            takes={"task": self.takes},
            fails={"task": self.fails} if self.fails else {},
            by_stretches=by_stretches,
        )

    def lived_through(self) -> Runs:
        """Let it really happen."""

        async def function() -> None:
            await asyncio.sleep(self.takes.total_seconds())
            if self.fails and self.fails(Occurrence(task="task", scheduled_for=current_run().scheduled_for)):
                raise OSError

        with VirtualScheduler() as scheduler:
            changes: list[tuple[datetime, int, Callable[[], None]]] = []
            for down, up in self.outages:
                changes += [(down, 1, scheduler.kill), (up, 5, scheduler.start)]
            changes += [(moment, 2, _step(scheduler, by)) for moment, by in self.steps]
            for pause, resume in self.pauses:
                changes += [(pause, 3, _pause(scheduler)), (resume, 4, _resume(scheduler))]
            scheduler.start(replace(self.task, function=function), at=START)
            passed = timedelta(0)
            for moment, _, change in sorted(changes, key=lambda change: change[:2]):
                if moment < START + self.length:
                    scheduler.run(seconds=((moment - START) - passed) / SECOND)
                    passed = moment - START
                    change()
            scheduler.run(seconds=(self.length - passed) / SECOND)
            return scheduler.runs


def _step(scheduler: VirtualScheduler, by: timedelta) -> Callable[[], None]:
    return lambda: scheduler.step_clock(by)


def _pause(scheduler: VirtualScheduler) -> Callable[[], None]:
    return lambda: scheduler.pause("task")


def _resume(scheduler: VirtualScheduler) -> Callable[[], None]:
    return lambda: scheduler.resume("task")


@st.composite
def schedules(draw: st.DrawFn) -> tuple[Any, timedelta]:
    """A schedule, and about how long it takes for a hundred runs at most."""
    kind = draw(st.sampled_from(["every", "every", "every", "daily", "cron"]))
    if kind == "daily":
        return DailyAt(draw(st.integers(0, 23)), 30, tz=draw(st.sampled_from(["UTC", "Europe/Berlin"]))), timedelta(10)
    if kind == "cron":
        expression = draw(st.sampled_from(["*/15 * * * *", "7 */2 * * *", "30 2 * * *"]))
        return Cron(expression, tz="Europe/Berlin"), timedelta(1)
    seconds = draw(st.sampled_from([0.3, 2, 7, 45, 60, 61.5, 3600]))
    jitter = draw(st.sampled_from([0.0, 0.1, 0.45])) * seconds
    offset = draw(st.sampled_from([0.0, 0.25])) * seconds
    return Every(seconds, jitter=jitter, offset=offset), timedelta(seconds=100 * seconds)


@st.composite
def spans(draw: st.DrawFn, length: timedelta, most: int) -> list[tuple[datetime, datetime]]:
    moments = draw(st.lists(st.integers(1, 999), unique=True, max_size=2 * most))
    ordered = [START + length * moment / 1000 for moment in sorted(moments)]
    return list(zip(ordered[::2], ordered[1::2], strict=False))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    schedule, length = draw(schedules())
    takes = draw(st.sampled_from([0.0, 0.0, 0.3, 0.7, 3.1])) * length / 100
    overlap = draw(st.sampled_from(Overlap))
    if takes or overlap is Overlap.ALLOW:
        # So that no run ends just when another is due; side by side, which of the two comes first is nobody's promise.
        takes += timedelta(microseconds=137)
    moments = draw(st.lists(st.integers(1, 999), unique=True, max_size=2))
    return World(
        task=make_task(
            schedule=schedule,
            overlap=overlap,
            concurrency=2,
            catch_up=draw(st.sampled_from(CatchUp)),
            catch_up_window=draw(st.sampled_from([timedelta(minutes=5), timedelta(days=1)])),
            timeout=draw(st.sampled_from([None, None, length.total_seconds() / 200 + 0.000137])),
            retry=Retry(attempts=draw(st.integers(1, 3)), delay=0.1111),
            suspend_after=draw(st.sampled_from([None, 2])),
            suspend_for=length.total_seconds() / 30,
            run_on_start=draw(st.booleans()),
        ),
        length=length,
        outages=draw(spans(length, 2)),
        pauses=draw(spans(length, 2)),
        steps=[
            (START + length * moment / 1000, draw(st.sampled_from([-1.3, -0.6, -0.2, -0.01, 0.01, 0.3])) * length)
            for moment in sorted(moments)
        ],
        takes=takes,
        fails=draw(st.sampled_from([None, None, lambda occurrence: occurrence.scheduled_for.microsecond % 3 == 0])),
    )


def told(runs: Runs) -> tuple[list[VirtualRun], list[object]]:
    return [replace(run, value=None, error=None) for run in runs], list(runs.skips)


@given(worlds())
def test_stretches_hold_exactly_the_runs_that_playing_through_finds(world: World) -> None:
    assert told(world.simulated()) == told(world.simulated(by_stretches=False))


@pytest.mark.parametrize("seconds", [2, 60])
def test_what_ran_before_the_clock_was_set_back_is_not_run_over_again(seconds: int) -> None:
    world = World(
        task=make_task(schedule=Every(seconds)),
        length=timedelta(minutes=40),
        steps=[(at(minutes=10), timedelta(minutes=-15))],
    )
    runs = world.simulated()
    assert told(runs) == told(world.simulated(by_stretches=False))
    assert len({run.scheduled_for for run in runs}) == len(runs)


@given(worlds())
def test_the_engine_does_in_virtual_time_what_the_simulation_says(world: World) -> None:
    assert told(world.simulated()) == told(world.lived_through())


# The month of an alarm


def month_of_the_alarm() -> Runs:
    """October 2026 in Berlin, with a night and a day without power before the night in which clocks go back."""
    berlin = ZoneInfo("Europe/Berlin")
    tasks = [replace(task, schedule=task.schedule.in_zone("Europe/Berlin")) for task in registry]
    outage = datetime(2026, 10, 24, 1, tzinfo=berlin), datetime(2026, 10, 25, 1, 30, tzinfo=berlin)
    return simulate(tasks, datetime(2026, 10, 1, tzinfo=berlin), datetime(2026, 11, 1, tzinfo=berlin), outages=[outage])


def test_a_month_of_the_ten_tasks_takes_less_than_two_seconds() -> None:
    began = time.process_time()
    runs = month_of_the_alarm()
    assert len(runs) > 2_300_000
    assert runs[0].task in {"check_home_assistant", "sync_entity_states"}
    assert runs[-1].scheduled_for == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert time.process_time() - began < 2


def test_each_night_of_that_month_has_its_clean_up_and_the_lost_one_is_made_up_for() -> None:
    runs = month_of_the_alarm().of("cleanup_old_events")
    local = [run.started_at.astimezone(ZoneInfo("Europe/Berlin")) for run in runs]
    assert [moment.day for moment in local] == [*range(1, 24), *range(25, 26), *range(25, 32)]
    assert [run.trigger for run in runs if run.started_at != run.scheduled_for] == [Trigger.CATCH_UP]
    assert {moment.hour for moment in local if moment.minute == 0} == {3}


def test_all_of_a_month_can_be_counted_per_task() -> None:
    runs = month_of_the_alarm()
    expected_seconds = 31 * 86_400 + 3_600 - 24.5 * 3_600  # an hour more, less the outage
    assert len(runs.of("broadcast_system_status")) == expected_seconds // 2


# What it can be told


def test_runs_take_as_long_as_they_are_said_to() -> None:
    runs = simulate([make_task(schedule=Every(60))], START, at(minutes=6), takes={"task": timedelta(seconds=90)})
    assert [run.started_at for run in runs] == [at(minutes=1), at(minutes=3), at(minutes=5)][: len(runs)]
    assert [skip.reason for skip in runs.skips] == [SkipReason.OVERLAP] * len(runs.skips)
    assert len(runs) == 2


def test_runs_fail_as_they_are_said_to() -> None:
    task = make_task(schedule=Every(60), retry=Retry(attempts=2, delay=10))
    runs = simulate([task], START, at(minutes=2), fails={"task": lambda run: run.attempt == 1})
    assert [(run.started_at, run.status) for run in runs] == [
        (at(minutes=1), RunStatus.FAILED),
        (at(minutes=1, seconds=10), RunStatus.SUCCEEDED),
        (at(minutes=2), RunStatus.FAILED),
    ]


def test_a_run_over_its_timeout_is_timed_out() -> None:
    task = make_task(schedule=Every(60), timeout=5)
    (run,) = simulate([task], START, at(minutes=1.5), takes={"task": timedelta(seconds=20)})
    assert (run.status, run.finished_at) == (RunStatus.TIMED_OUT, at(seconds=65))


def test_spans_out_of_order_and_naive_times_are_refused() -> None:
    with pytest.raises(ValueError, match="down times must be in order"):
        simulate([], START, at(days=1), outages=[(at(hours=2), at(hours=1))])
    with pytest.raises(ValueError, match="no time zone"):
        simulate([], START.replace(tzinfo=None), at(days=1))


def test_what_is_said_of_a_task_that_takes_no_part_is_a_mistake() -> None:
    with pytest.raises(UnknownTask, match="no task tusk takes part"):
        simulate([make_task()], START, at(days=1), takes={"tusk": SECOND})


# The results


@given(worlds(), st.data())
def test_an_index_leads_to_the_run_that_iterating_reaches(world: World, data: st.DataObject) -> None:
    runs = world.simulated()
    listed = list(runs)
    assert len(runs) == len(listed)
    if listed:
        index = data.draw(st.integers(-len(listed), len(listed) - 1))
        assert runs[index] == listed[index]
    assert runs[-3:] == listed[-3:]


def test_runs_of_several_tasks_are_merged_by_their_start() -> None:
    runs = simulate(
        [make_task(schedule=Every(3), name="a"), make_task(schedule=Every(2), name="b")], START, at(hours=1)
    )
    assert len(runs) == 1200 + 1800
    assert [run.task for run in runs[:5]] == ["b", "a", "b", "a", "b"]
    assert list(runs) == sorted(runs, key=lambda run: (run.started_at, run.task))
    assert list(runs.of("a")) == [run for run in runs if run.task == "a"]
