"""
Real replicas on one PostgreSQL, each behind a cable of its own:
``python -m benchmarks.scale.measured ramp MILLISECONDS REPLICAS SCHEDULES SECONDS`` gives them more and more to do, and
``… even …`` an even load in the middle of which the leader is killed.

What they ran and when is read from history.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import environ
from django.core.management import call_command

from benchmarks.child import report
from benchmarks.engine.measure import Figures
from benchmarks.engine.systems.django_site import set_up
from benchmarks.scale.distance import LongCable, by_way_of, empty_database
from benchmarks.scale.load import Start, after_death, saturation
from benchmarks.scale.replica import task_name

# The load begins so many times later as it took to start and fill the database, the second for each replica: on a
# machine that is busy all takes longer.
UNTIL_READY = 2.0, 0.5
DIES_AT = 2.0  # seconds of an even load
POLL, PATIENCE = 0.2, 60.0  # seconds


class NotReady(Exception):
    """The replicas took longer to start than they were given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """A process, and the only way by which it reaches the database."""

    process: subprocess.Popen[bytes]
    cable: LongCable


def measure(shape: str, milliseconds: float, replicas: int, schedules: int, seconds: float) -> Figures:
    """Return what so many replicas, so many milliseconds from the database, made of the load."""
    began = time.time()
    with empty_database() as (url, port):
        set_up("asyncsched", environ.Env.db_url_config(url))  # type: ignore[no-untyped-call]
        call_command("migrate", verbosity=0)
        _note_tasks(schedules)
        begins = time.time() + (time.time() - began) * (UNTIL_READY[0] + UNTIL_READY[1] * replicas)
        cables = [LongCable(port, delay=milliseconds / 1e3) for _ in range(replicas)]
        urls = [by_way_of(cable.port, url=url, server=port) for cable in cables]
        with ExitStack() as stack:
            running = []
            for cable, way in zip(cables, urls, strict=True):
                stack.enter_context(cable)
                arguments = (way, shape, str(schedules), str(seconds), str(begins))
                running.append(Replica(process=stack.enter_context(_running(arguments)), cable=cable))
            _wait_until(lambda: _are_ready(replicas), NotReady("the replicas were not ready in time"), until=begins)
            _sleep_until(begins)
            if shape == "ramp":
                return _of_a_ramp(running, begins, schedules, seconds)
            return _of_a_death(running, begins, schedules)


def _of_a_ramp(running: list[Replica], begins: float, schedules: int, seconds: float) -> Figures:
    before = [one.cable.trips for one in running]
    _sleep_until(begins + seconds)
    trips = sorted((one.cable.trips - count) / seconds for one, count in zip(running, before, strict=True))
    starts = _finished(running, begins, schedules)
    of_standbys = {"trips_per_standby_per_s": sum(trips[:-1]) / len(trips[:-1])} if trips[:-1] else {}
    return saturation(starts, schedules=schedules, seconds=seconds) | of_standbys


def _of_a_death(running: list[Replica], begins: float, schedules: int) -> Figures:
    _sleep_until(begins + DIES_AT)
    leader = max(running, key=lambda one: one.cable.trips)
    leader.process.send_signal(signal.SIGKILL)
    died = time.time() - begins
    return after_death(_finished(running, begins, schedules), died=died)


def _finished(running: list[Replica], begins: float, schedules: int) -> list[Start]:
    """Return the starts once every schedule has had its turn and all of it is written."""
    _wait_until(lambda: _count() >= schedules, TimeoutError("not everything ran"), until=time.time() + PATIENCE)
    for one in running:
        one.process.terminate()
    from asyncsched.models import TaskRun  # noqa: PLC0415 - Django has to be set up

    rows = TaskRun.objects.values_list("scheduled_for", "started_at")
    return [(due.timestamp() - begins, started.timestamp() - begins) for due, started in rows]


def _count() -> int:
    from asyncsched.models import TaskRun  # noqa: PLC0415

    return TaskRun.objects.exclude(status="running").count()


def _are_ready(replicas: int) -> bool:
    from asyncsched.models import Lease  # noqa: PLC0415
    from asyncsched.models import Replica as Row  # noqa: PLC0415

    return Row.objects.count() == replicas and Lease.objects.exclude(holder="").exists()


def _note_tasks(schedules: int) -> None:
    """Make the rows that tasks have after their first run."""
    from asyncsched.models import TaskState  # noqa: PLC0415

    TaskState.objects.bulk_create(TaskState(task=task_name(number)) for number in range(schedules))


@contextmanager
def _running(arguments: tuple[str, ...]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a replica; it ends with the block, whatever happens."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.scale.replica", *arguments], stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _wait_until(condition: Callable[[], bool], otherwise: Exception, *, until: float) -> None:
    while not condition():
        if time.time() > until:
            raise otherwise
        time.sleep(POLL)


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))


if __name__ == "__main__":
    shape, *figures = sys.argv[1:]
    report(lambda: measure(shape, float(figures[0]), int(figures[1]), int(figures[2]), float(figures[3])))
