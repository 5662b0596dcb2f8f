"""
What a claimed run costs, measured on a PostgreSQL server on this machine: what the model is fed with.

Of a claim and of writing how a run ended: how often the database is asked and has to answer before it goes on (a
*trip*; BEGIN and COMMIT are some), and how long Python itself is at it. What a trip takes on this machine is the
server's part of it; what it takes to be further away is added by the model.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from statistics import median

import environ
from django.core.management import call_command
from django.db import connection

from asyncsched import Every, register
from asyncsched.engine.runs import Claim, Occurrence, RunResult, RunStatus, new_run_id
from asyncsched.registry import Task, registry
from asyncsched.server.host import Host
from benchmarks.engine.systems.django_site import set_up
from benchmarks.scale.distance import LongCable, empty_database
from benchmarks.scale.load import even

TASKS = 192
HOUR = 3600.0  # seconds: every occurrence of such a schedule is claimed
SOON, SPREAD = 1.5, 2.0  # seconds until the first of the tasks is due, and in which all of them are
POLL, PATIENCE = 0.2, 30.0  # seconds
LEADER, TERM = "me", 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one of many took, in the thread that did it: trips, seconds of Python, and seconds on the clock."""

    trips: float
    cpu: float
    wall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a run costs; times are seconds. All but *cpu_per_run* is up to the database thread."""

    claim: Part
    end: Part  # to write how it ended, in batches
    row: Part  # to write a row among many, with one statement for all of them
    cpu_per_run: float  # of the rest of the process: the event loop

    @property
    def wait_per_trip(self) -> float:
        """The seconds for which a claim waits for a server on this machine, each time that it asks."""
        return (self.claim.wall - self.claim.cpu) / self.claim.trips


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a run costs, and how many seconds longer a trip takes by way of each of the cables."""

    costs: Costs
    distances: tuple[float, ...]


def measured(*delays: float) -> Measured:
    """Measure them, and what cables with these *delays* take, before Django is set up. Raises NotHere."""
    with empty_database() as (url, port), LongCable(port, delay=0) as cable:
        set_up("asyncsched", environ.Env.db_url_config(url))  # type: ignore[no-untyped-call]
        call_command("migrate", verbosity=0)
        tasks = [*_registered("claimed", time.time() - SPREAD)]
        _reach_by(cable.port)
        _taken(tasks, lambda: cable.trips)  # the first claim of a task makes its row
        counted = _taken(tasks, lambda: cable.trips)
        _reach_by(port)
        timed = _taken(tasks, lambda: 0)
        tasks = [*_registered("run", time.time() + SOON)]
        whole = asyncio.run(_cpu_of_a_run(tasks))
        distances = tuple(_distance(port, delay) for delay in delays)
    claim, end, row = (replace(one, trips=of.trips) for one, of in zip(timed, counted, strict=True))
    rest = max(0.0, whole - claim.cpu - end.cpu)
    costs = Costs(claim=claim, end=end, row=row, cpu_per_run=rest)
    return Measured(costs=costs, distances=distances)


def _distance(port: int, delay: float) -> float:
    """Return for how many seconds longer a small statement waits by way of a cable with that *delay*."""
    with LongCable(port, delay=delay) as cable:
        return _round_trip(cable.port) - _round_trip(port)


def _round_trip(port: int) -> float:
    _reach_by(port)
    with connection.cursor() as cursor:
        took = _each([partial(cursor.execute, "SELECT 1")] * 50, lambda: 0)
    connection.close()
    return took.wall - took.cpu


def _reach_by(port: int) -> None:
    """From now on the database is reached by way of *port*."""
    connection.close()
    connection.settings_dict["PORT"] = port


def _registered(kind: str, begins: float) -> Iterator[Task]:
    """Register tasks that are due once an hour, from the moment *begins* on, seconds since the epoch."""
    for number, moment in enumerate(even(TASKS, SPREAD)):
        name = f"{kind} {number}"
        register(name, Every(HOUR, offset=(begins + moment) % HOUR))(_job)
        yield registry.get(name)


async def _job() -> None:
    """Do nothing."""


def _taken(tasks: Sequence[Task], trips: Callable[[], int]) -> tuple[Part, Part, Part]:
    """Claim a run of each of *tasks*, write how it ended, and write one that was not claimed."""
    from asyncsched.models import Lease  # noqa: PLC0415 - Django has to be set up
    from asyncsched.storage.writer import LEAST_IN_BATCH, MOST_IN_BATCH  # noqa: PLC0415

    Lease.objects.create(name="scheduler", term=TERM, holder=LEADER)
    granted: list[Claim] = []

    def grant(task: Task) -> None:
        granted.append(_claimed(task))

    claim = _each([partial(grant, task) for task in tasks], trips)
    end = _written(tasks, granted, trips, most=LEAST_IN_BATCH)  # so small are batches at first, and so these stay
    unclaimed = [replace(one, has_row=False, run_id=new_run_id()) for one in granted]
    row = _written(tasks, unclaimed, trips, most=MOST_IN_BATCH)
    Lease.objects.all().delete()
    return claim, end, row


def _claimed(task: Task) -> Claim:
    from asyncsched.storage import claims  # noqa: PLC0415

    now = datetime.now(UTC)
    answer = claims.claim(task, Occurrence(task=task.name, scheduled_for=now), replica=LEADER, now=now, term=TERM)
    if not isinstance(answer, Claim):
        raise TypeError(f"nothing was in the way of {task.name}, and yet: {answer}")
    return answer


def _written(tasks: Sequence[Task], granted: Sequence[Claim], trips: Callable[[], int], *, most: int) -> Part:
    """Write how the runs ended, in batches of *most*."""
    from asyncsched.storage import rows  # noqa: PLC0415
    from asyncsched.storage.backlog import Backlog  # noqa: PLC0415
    from asyncsched.storage.writer import SLOW_RUN  # noqa: PLC0415

    backlog = Backlog(replica=LEADER, slow_run=SLOW_RUN)
    for task, claim in zip(tasks, granted, strict=True):
        now = claim.occurrence.scheduled_for
        status = RunStatus.SUCCEEDED
        backlog.add(task, RunResult(claim=claim, status=status, started_at=now, finished_at=now, duration=0.0))
    backlog.take_in()
    backlog.collect()

    def write_all() -> None:
        while batch := backlog.take(most):
            rows.write(batch, replica=LEADER, now=datetime.now(UTC))

    whole = _took(write_all, trips)
    return Part(trips=whole.trips / len(tasks), cpu=whole.cpu / len(tasks), wall=whole.wall / len(tasks))


def _each(work: Sequence[Callable[[], object]], trips: Callable[[], int]) -> Part:
    """Do one after the other; return the medians."""
    took = [_took(one, trips) for one in work]
    trips_, cpu, wall = (median(getattr(one, name) for one in took) for name in ("trips", "cpu", "wall"))
    return Part(trips=trips_, cpu=cpu, wall=wall)


def _took(work: Callable[[], object], trips: Callable[[], int]) -> Part:
    asked, began, cpu = trips(), time.perf_counter(), time.thread_time()
    work()
    return Part(trips=trips() - asked, cpu=time.thread_time() - cpu, wall=time.perf_counter() - began)


async def _cpu_of_a_run(tasks: Sequence[Task]) -> float:
    """Have the whole product run each of *tasks* once; return the processor's seconds for a run, in all threads."""
    from asyncsched.models import TaskRun, TaskState  # noqa: PLC0415
    from asyncsched.storage.connections import thread_connections  # noqa: PLC0415

    await TaskState.objects.abulk_create(TaskState(task=task.name) for task in tasks)  # as they are after the first run

    def ended() -> int:
        with thread_connections():
            return TaskRun.objects.filter(status=RunStatus.SUCCEEDED, task__in=[task.name for task in tasks]).count()

    host = Host()
    await host.start()
    try:
        cpu = time.process_time()
        await asyncio.sleep(SOON + SPREAD)
        async with asyncio.timeout(PATIENCE):
            while await asyncio.to_thread(ended) < len(tasks):  # noqa: ASYNC110 - a database has no event to wait for
                await asyncio.sleep(POLL)
        return (time.process_time() - cpu) / len(tasks)
    finally:
        await host.stop()
