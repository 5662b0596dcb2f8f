"""What would run, without running it: each task's state machine, driven without waiting. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from asyncsched.engine.runs import Skipped
from asyncsched.engine.simulated import NONE, Change, Kind, Rule, SimulatedTask
from asyncsched.engine.virtual import Runs, VirtualRun
from asyncsched.errors import UnknownTask
from asyncsched.registry import Task
from asyncsched.schedules.base import to_utc

Span = tuple[datetime, datetime]


def simulate(  # noqa: PLR0913 - all that may happen meanwhile
    tasks: Iterable[Task],
    start: datetime,
    end: datetime,
    *,
    outages: Iterable[Span] = (),
    pauses: Mapping[str, Iterable[Span]] | None = None,
    steps: Iterable[tuple[datetime, timedelta]] = (),
    takes: Mapping[str, timedelta] | None = None,
    fails: Mapping[str, Rule] | None = None,
    by_stretches: bool = True,
) -> Runs:
    """Return the runs of *tasks* from *start*, when they are started for the first time, up to and including *end*.

    Args:
        outages: from when to when the process is down. It ends as in a power cut, and starts again.
        pauses: by the name of the task, from when to when it is paused.
        steps: when the wall clock is set, and by how much. All moments here are those of a clock
            that is never set; those in the result are the wall clock's.
        takes: by the name of the task, how long its runs take.
        fails: by the name of the task, which of its runs fail.
        by_stretches: False plays through every single run, for the same result.

    Raises ValueError if times are naive, or if outages or pauses overlap or end before they begin;
    UnknownTask if something is said of a task that takes no part.
    """
    start, end, tasks = to_utc(start), to_utc(end), tuple(tasks)
    if unknown := {*(pauses or ()), *(takes or ()), *(fails or ())} - {task.name for task in tasks}:
        raise UnknownTask(f"no task {', '.join(sorted(unknown))} takes part in the simulation")
    common = [*_spans(outages, Kind.DOWN, Kind.UP), *(Change(to_utc(at), Kind.STEP, by) for at, by in steps)]
    parts: dict[str, list[Sequence[VirtualRun]]] = {}
    skips: list[tuple[datetime, Skipped]] = []
    for task in tasks:
        own = _spans((pauses or {}).get(task.name, ()), Kind.PAUSE, Kind.RESUME)
        simulated = SimulatedTask(
            task,
            start,
            length=(takes or {}).get(task.name, NONE),
            fails=(fails or {}).get(task.name),
            by_stretches=by_stretches,
        )
        simulated.play(sorted([*common, *own], key=lambda change: (change.at, change.kind)), end)
        parts[task.name] = simulated.parts
        skips += simulated.skips
    return Runs(parts, (skipped for _, skipped in sorted(skips, key=lambda decided: decided[0])))


def _spans(spans: Iterable[Span], begin: Kind, end: Kind) -> list[Change]:
    changes = [change for first, last in spans for change in (Change(to_utc(first), begin), Change(to_utc(last), end))]
    if any(later.at <= earlier.at for earlier, later in pairwise(changes)):
        raise ValueError(f"{begin.name.lower()} times must be in order, and each end after it began: {changes}")
    return changes
