"""What a scheduler with threads keeps of a task, recognised by its shape.

A task is an object, a dict or a tuple that has

- a function, or a method of a class: the first value that is one;
- a schedule: a value that is a ``timedelta``, a ``time`` of day, or has ``seconds``, ``minutes``,
  ``hours`` or ``days``, which add up, or ``hour`` and perhaps ``minute`` and ``second``. Else the
  task itself may have these. Beside them ``jitter`` counts in seconds, and ``tz`` or ``timezone``
  is a name or a zone. A value called ``timeout`` is none, and one called ``schedule`` comes first;
- a name: its ``name``, or its key in the dict, or that of the function.

``description`` and ``enabled`` are read where they are. With a function and a ``schedule`` of
another shape it is left out, and told of; whatever else has no such shape is taken for no task.
"""

import inspect
from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from threading import Thread
from types import FunctionType, MethodType, ModuleType
from typing import Any

from asyncsched.errors import ScheduleError
from asyncsched.migrating.clock_changes import changes
from asyncsched.migrating.code import call_of
from asyncsched.migrating.found import Definition, Difference, Found, LeftOut, Topic
from asyncsched.migrating.project import first_line
from asyncsched.schedules import DailyAt, Every

LENGTHS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}

FIRST_RUN = Difference(
    topic=Topic.FIRST_RUN,
    there="at once when its thread starts, or so long after that, in each process that is started",
    here="at the next point of the grid; run_on_start=True is at once",
)
INTERVAL = Difference(
    topic=Topic.INTERVAL,
    there="so long after the last run has ended: it moves with each run, and each start",
    here="on a grid that does not move, whenever the run before began or ended",
)
CLOCK_CHANGES = Difference(
    topic=Topic.CLOCK_CHANGES,
    there="a thread sleeps as many hours as the clock on the wall is away from the time: it is an hour late after "
    "the night in which clocks go forward, and an hour early, and then once more, after the one in which they go back",
    here="at the time on the wall, once a day; one that clocks jump over runs at the first instant after the gap",
)
MISSED = Difference(
    topic=Topic.MISSED,
    there="what comes due while the process is down is lost",
    here="the latest that was missed is made up for, within 24 hours (catch_up_window)",
)
PROCESSES = Difference(
    topic=Topic.SEVERAL_PROCESSES,
    there="each process runs everything",
    here='one process leads and runs it; scope="replica" is in each',
)
HANGING = Difference(
    topic=Topic.TIMEOUT,
    there="a run that hangs stops its task for good, and a watchdog does not see it",
    here="a run that hangs is ended after its `timeout`, in seconds: it has none until you give it one",
)


def translated(key: object, thing: object, *, zone: str, now: datetime) -> Definition | None:
    """Return what *thing* is here, None if it is no task; *key* is what it is kept under, None for nothing."""
    values = attributes(thing)
    function = _function(values)
    if function is None:
        return None
    names = (values.get("name"), key, getattr(function, "__name__", None))
    name = next((name for name in names if isinstance(name, str)), "task")
    try:
        schedule = _schedule(values)
    except ScheduleError as error:
        return LeftOut(name=name, source=_whence(function), problem=f"{error}: write its task by hand")
    if schedule is None and "schedule" not in values:
        return None
    if schedule is None or (problem := _problem(function)):
        said = f"its schedule {values['schedule']!r} has no seconds and no hour" if schedule is None else problem
        return LeftOut(name=name, source=_whence(function), problem=f"{said}: write its task by hand")
    return Found(
        name=name,
        source=_whence(function),
        call=call_of(f"{function.__module__}:{function.__qualname__}"),
        is_async=inspect.iscoroutinefunction(function),
        schedule=schedule,
        options={} if values.get("enabled", True) else {"enabled": False},
        description=str(values.get("description") or first_line(function.__doc__)),
        differences=_differences(schedule, zone, now),
    )


def _function(values: Mapping[object, object]) -> Callable[..., Any] | None:
    """Return the first of *values* that is a function or a method, else the first that can be called."""
    able: list[Any] = [value for value in values.values() if callable(value) and not isinstance(value, type)]
    return next((value for value in able if isinstance(value, FunctionType | MethodType)), able[0] if able else None)


def _whence(function: Callable[..., Any]) -> str:
    name = getattr(function, "__qualname__", None)
    return f"{function.__module__}.{name}" if name else repr(function)


def attributes(thing: object) -> Mapping[object, object]:
    """Return what *thing* has, by name, of a tuple by number; nothing of what is no task in any case."""
    if isinstance(thing, type | ModuleType | FunctionType | MethodType | Thread | str):
        return {}
    if isinstance(thing, dict):
        return thing
    if isinstance(thing, tuple):
        return dict(zip(getattr(thing, "_fields", range(len(thing))), thing, strict=True))
    slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    return {name: getattr(thing, name) for name in slots if hasattr(thing, name)} | getattr(thing, "__dict__", {})


def _schedule(values: Mapping[object, object]) -> Every | DailyAt | None:
    """Return the schedule that a task with these *values* has, None if none has the shape of one."""
    if "schedule" in values:
        return _as_schedule(values["schedule"])
    others = [value for name, value in values.items() if name != "timeout"]
    return next((found for value in (*others, values) if (found := _as_schedule(value)) is not None), None)


def _as_schedule(value: object) -> Every | DailyAt | None:
    if isinstance(value, timedelta):
        return Every(value.total_seconds())
    if isinstance(value, time):
        return DailyAt(value.hour, value.minute, value.second, tz=_zone(value.tzinfo))
    parts = {name: part for name, part in attributes(value).items() if isinstance(part, int | float)}
    if "hour" in parts:
        zone = next((of_it for name, of_it in attributes(value).items() if name in ("tz", "timezone")), None)
        hour, minute, second = (int(parts.get(name, 0)) for name in ("hour", "minute", "second"))
        return DailyAt(hour, minute, second, tz=_zone(zone))
    length = sum(parts.get(unit, 0) * seconds for unit, seconds in LENGTHS.items())
    return Every(length, jitter=parts.get("jitter", 0)) if length else None


def _zone(value: object) -> str | None:
    """Return the name of a zone, of a ``ZoneInfo`` its key."""
    return str(value) if value else None


def _problem(function: Callable[..., Any]) -> str:
    """Return why *function* cannot be called by its name, without arguments; nothing if it can."""
    name = getattr(function, "__qualname__", "<none>")
    if "<" in name or (isinstance(function, MethodType) and not isinstance(function.__self__, type)):
        return "no module has its function by a name"
    try:
        inspect.signature(function).bind()
    except TypeError as error:
        return f"its function is called with arguments, {error}"
    return ""


def _differences(schedule: Every | DailyAt, zone: str, now: datetime) -> tuple[Difference, ...]:
    common = (PROCESSES, HANGING) if schedule.is_subminute else (MISSED, PROCESSES, HANGING)
    if isinstance(schedule, Every):
        return (FIRST_RUN, INTERVAL, *common)
    return (CLOCK_CHANGES, *common) if any(changes(schedule.tz or zone, now)) else common
