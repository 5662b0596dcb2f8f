"""APScheduler 3: the jobs of a job store, or of a scheduler.

*where* says where they are: the address of a database for SQLAlchemy, ``sqlite:///jobs.sqlite``, for
the table ``apscheduler_jobs`` in it; or the dotted path of a scheduler, ``shop.scheduler.scheduler``.
Without it, they are in the table of django-apscheduler.
"""

import inspect
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from asyncsched.engine.planner import GRACE
from asyncsched.migrating.apscheduler_stores import Stored, in_django, in_object, in_table
from asyncsched.migrating.apscheduler_triggers import converted
from asyncsched.migrating.code import call_of, unwritable
from asyncsched.migrating.found import Converted, Definition, Difference, Found, LeftOut, NoCounterpart, Topic
from asyncsched.migrating.project import first_line

SEVERAL = Difference(
    topic=Topic.SEVERAL_PROCESSES,
    there="each process with a scheduler runs everything",
    here="any number of processes may run the scheduler: each occurrence is claimed once",
)
NO_GRACE = Difference(
    topic=Topic.MISSED,
    there="a run that is later than misfire_grace_time, a second by default, does not take place",
    here="a minute is granted; what is later does not take place",
)
NO_LIMIT = Difference(
    topic=Topic.MISSED,
    there="misfire_grace_time=None: what was missed runs however late it is",
    here="what was missed runs if it is not older than catch_up_window, a day by default",
)
IN_MEMORY = Difference(
    topic=Topic.MISSED,
    there="jobs in memory: nothing is known of what was missed while the process was down",
    here="it is known, and caught up on as catch_up says",
)


def read(where: Sequence[str]) -> list[Definition]:
    """Return all jobs; raise NotThere if they cannot be read."""
    now = timezone.now()
    stored: list[Stored | LeftOut] = [] if where else list(in_django())
    for place in where:
        stored += in_table(place) if "://" in place else in_object(place)
    return [one for each in stored for one in ([each] if isinstance(each, LeftOut) else _found(each, now))]


def _found(stored: Stored, now: datetime) -> list[Definition]:
    job = stored.job
    name = job.name if re.fullmatch("[0-9a-f]{32}", job.id) else job.id
    if problem := _problem(job):
        return [LeftOut(name=name, source=stored.source, problem=problem)]
    try:
        known = None if stored.in_memory else job.next_run_time
        parts = list(converted(job.trigger, goes_on_from=known, now=now))
    except NoCounterpart as error:
        return [LeftOut(name=name, source=stored.source, problem=str(error))]
    return [
        Found(
            name=name,
            source=stored.source,
            call=call_of(job.func_ref, job.args, job.kwargs),
            is_async=inspect.iscoroutinefunction(job.func),
            schedule=part.schedule,
            options=dict(_options(stored, part, now)),
            description=first_line(inspect.getdoc(job.func)),
            conditions=part.conditions,
            zone=part.zone,
            differences=(*part.differences, SEVERAL, *_missed(stored, part)),
            remarks=tuple(_remarks(job)),
        )
        for part in parts
    ]


def _problem(job: Any) -> str:
    """Return why *job* cannot be a task, and what to do instead; nothing if it can."""
    if not job.func_ref:
        return "its function has no path, such as a lambda or a function in a function: give it one in a module"
    if inspect.ismethod(job.func) and not inspect.isclass(job.func.__self__):
        return "its function is a method of an object: register a function of your own that makes the object"
    return unwritable(job.args, job.kwargs)


def _said(stored: Stored, option: str) -> Any:
    return getattr(stored.job, option, stored.defaults[option])


def _options(stored: Stored, part: Converted, now: datetime) -> Iterator[tuple[str, object]]:
    """Yield what ``register`` is to be given beside name and schedule."""
    grace, instances = _said(stored, "misfire_grace_time"), _said(stored, "max_instances")
    first = getattr(stored.job, "next_run_time", now + timedelta(days=1))
    if first is None:
        yield "enabled", False
    elif stored.in_memory and first <= now:
        yield "run_on_start", True
    if instances > 1:
        yield "overlap", "allow"
        yield "concurrency", instances
    if grace is not None and grace < GRACE.total_seconds():
        if not part.schedule.is_subminute:
            yield "catch_up", "none"
        return
    if not _said(stored, "coalesce"):
        yield "catch_up", "all"
    if grace is not None:
        yield "catch_up_window", timedelta(seconds=grace)


def _missed(stored: Stored, part: Converted) -> Iterator[Difference]:
    grace = _said(stored, "misfire_grace_time")
    if grace is not None and grace < GRACE.total_seconds():
        yield NO_GRACE
        return
    if grace is None:
        yield NO_LIMIT
    if stored.in_memory:
        yield IN_MEMORY


def _remarks(job: Any) -> Iterator[str]:
    if job.executor != "default":
        yield (
            f'It ran on the executor {job.executor!r}: for a pool of processes write executor="processes", '
            "for threads and the event loop nothing."
        )
