"""What comes next, over all tasks: the simulation of a scheduler that goes on undisturbed."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from asyncsched.engine.simulation import simulate
from asyncsched.engine.virtual import Runs
from asyncsched.registry import Task
from asyncsched.schedules import Every

FAR_AHEAD = datetime(9990, 1, 1, tzinfo=UTC)


def upcoming(tasks: Iterable[Task], after: datetime, until: datetime | None = None) -> Runs:
    """Return a run for every occurrence of *tasks* in ``(after, until]``, in the order of the occurrences."""
    return simulate(map(_as_scheduled, tasks), after, FAR_AHEAD if until is None else until)


def _as_scheduled(task: Task) -> Task:
    """Return *task* without what makes it run at other times than its schedule names."""
    schedule = task.schedule
    if isinstance(schedule, Every):
        schedule = replace(schedule, jitter=0.0)
    return replace(task, schedule=schedule, options=replace(task.options, run_on_start=False))
