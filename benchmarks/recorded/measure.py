"""
Records runs on one database in one way: `python -m benchmarks.recorded.measure sqlite summary 10000`.

What the store keeps for the end of the minute is written at the end, and that counts: all runs are in the database
when the clock stops. With the default history each task has 30 runs, as in a minute of one every two seconds, so that
the rows and states written are those of real life. With a row for each run a task has one.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from asyncsched import Every, History, conf, register
from asyncsched.engine.runs import Claim, Occurrence, RunResult, RunStatus, new_run_id
from asyncsched.registry import Task
from benchmarks.child import report
from benchmarks.engine.systems.django_site import migrated

RUNS = {"summary": 30, "all": 1}
AT_ONCE = 50  # runs that end at one instant: then the loop has its turn
LONGEST = 3.0  # seconds for one acreate after the other
PATIENCE = 60.0  # seconds to write the rest
PROBE = 0.001  # seconds

Record = Callable[[list[Task], datetime], Awaitable[int]]


def main() -> None:
    """Say what was measured."""
    database, way, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
    report(lambda: _measured(database, way, size))


def _measured(database: str, way: str, size: int) -> dict[str, float]:
    with migrated("asyncsched", database):
        tasks = list(_registered(way, size))
        return asyncio.run(_by_acreate(tasks) if way == "acreate" else _by_the_store(tasks, RUNS[way]))


def _registered(way: str, size: int) -> Iterator[Task]:
    from asyncsched.registry import registry  # noqa: PLC0415 - the tasks of the package need Django, set up

    history = History.ALL if way == "all" else None
    for number in range(size):
        register(f"job_{number}", Every(seconds=2), history=history)(_job)
        yield registry.get(f"job_{number}")


async def _job() -> None:
    """Never called: runs are made up."""


async def _by_acreate(tasks: list[Task]) -> dict[str, float]:
    from asyncsched.models import TaskRun  # noqa: PLC0415

    async def record(result: RunResult) -> None:
        occurrence = result.claim.occurrence
        await TaskRun.objects.acreate(
            run_id=result.claim.run_id,
            task=occurrence.task,
            scheduled_for=occurrence.scheduled_for,
            trigger=occurrence.trigger,
            status=result.status,
            started_at=result.started_at,
            finished_at=result.finished_at,
            duration=result.duration,
            lateness=result.lateness,
        )

    last_minute = datetime.now(UTC) - timedelta(minutes=2)
    for task in tasks[:20]:
        await record(_ended(task, last_minute))
    meter = _Meter()
    async with meter.running():
        for task in tasks[20:]:
            await record(_ended(task, last_minute))
            meter.runs += 1
            if meter.seconds > LONGEST:
                break
    return meter.figures()


async def _by_the_store(tasks: list[Task], runs: int) -> dict[str, float]:
    from asyncsched.server import compose  # noqa: PLC0415

    store = compose.store(conf.load())
    await store.load(tasks)
    last_minute = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=1)
    for task in tasks:
        store.record(_ended(task, last_minute - timedelta(minutes=1)))  # the first of each is written soon
    while await asyncio.to_thread(_count_states) < len(tasks):  # noqa: ASYNC110 - the database has no event to wait for
        await asyncio.sleep(0.1)
    meter = _Meter()
    async with meter.running():
        for number in range(runs):
            for start in range(0, len(tasks), AT_ONCE):
                for task in tasks[start : start + AT_ONCE]:
                    store.record(_ended(task, last_minute + timedelta(seconds=2 * number)))
                    meter.runs += 1
                await asyncio.sleep(0)
        await store.close(PATIENCE)
    recorded = await asyncio.to_thread(_count_runs)
    if recorded != meter.runs + len(tasks):
        raise RuntimeError(f"{recorded:,} runs are in the database, and {meter.runs + len(tasks):,} have ended")
    return meter.figures()


def _ended(task: Task, scheduled_for: datetime) -> RunResult:
    """Return a run that took a millisecond."""
    started_at = scheduled_for + timedelta(milliseconds=1)
    return RunResult(
        claim=Claim(run_id=new_run_id(), occurrence=Occurrence(task=task.name, scheduled_for=scheduled_for)),
        status=RunStatus.SUCCEEDED,
        started_at=started_at,
        finished_at=started_at + timedelta(milliseconds=1),
        duration=0.001,
        lateness=0.001,
    )


def _count_states() -> int:
    from asyncsched.models import TaskState  # noqa: PLC0415
    from asyncsched.storage.connections import thread_connections  # noqa: PLC0415

    with thread_connections():
        return TaskState.objects.count()


def _count_runs() -> int:
    from django.db.models import Sum  # noqa: PLC0415

    from asyncsched.models import TaskRun  # noqa: PLC0415
    from asyncsched.storage.connections import thread_connections  # noqa: PLC0415

    with thread_connections():
        return int(TaskRun.objects.aggregate(total=Sum("count"))["total"])


class _Meter:
    """Counts runs against time, and looks every millisecond how late the event loop is."""

    def __init__(self) -> None:
        self.runs = 0
        self._late: list[float] = []
        self._began = self._took = self._cpu = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        probe = asyncio.create_task(self._probe())
        await asyncio.sleep(0)
        self._began, self._cpu = time.monotonic(), time.process_time()
        try:
            yield
        finally:
            self._took, self._cpu = self.seconds, time.process_time() - self._cpu
            probe.cancel()

    def figures(self) -> dict[str, float]:
        late = sorted(self._late)
        return {
            "runs_per_s": self.runs / self._took,
            "loop_stall_p99_ms": late[int(len(late) * 0.99)] * 1_000,
            "loop_stall_worst_ms": late[-1] * 1_000,
            "cpu_per_run_us": self._cpu / self.runs * 1e6,
        }

    async def _probe(self) -> None:
        while True:
            due = time.monotonic() + PROBE
            await asyncio.sleep(PROBE)
            self._late.append(time.monotonic() - due)


if __name__ == "__main__":
    main()
