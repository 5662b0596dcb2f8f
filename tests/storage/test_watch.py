"""The service that looks for overdue tasks: what it makes of times in which it could not look."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection, connections

from asyncsched import Every
from asyncsched.models import Replica, TaskState
from asyncsched.server.overdue import Watch
from tests.engine.conftest import make_task
from tests.support.deadline import eventually

DAY = timedelta(days=1)
TASK = make_task(schedule=Every(600), alert_after=1.0)

pytestmark = pytest.mark.usefixtures("silence")


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """No receivers of other apps, whose tables are not looked at here."""
    from asyncsched import signals

    monkeypatch.setattr(signals.task_overdue, "receivers", [])


class Looks:
    """What was told of each look: the overdue tasks."""

    def __init__(self) -> None:
        self.overdue: list[list[str]] = []
        self.last_success_at: Mapping[str, datetime] = {}

    def __call__(self, last_success_at: Mapping[str, datetime], overdue: Iterable[str]) -> None:
        self.last_success_at = last_success_at
        self.overdue.append(list(overdue))

    async def more(self, count: int = 1) -> list[list[str]]:
        """Wait for *count* more looks and return what they found."""
        before = len(self.overdue)
        await eventually(lambda: len(self.overdue) >= before + count)
        return self.overdue[before : before + count]


@asynccontextmanager
async def watching(*, elected: bool = True) -> AsyncIterator[Looks]:
    looks = Looks()
    service = asyncio.create_task(Watch([TASK], elected=elected, tell=looks).run())
    try:
        yield looks
    finally:
        service.cancel()
        with suppress(asyncio.CancelledError):
            await service


def succeeded(ago: timedelta) -> None:
    now = datetime.now(UTC)
    TaskState.objects.create(task=TASK.name, last_success_at=now - ago, last_status="succeeded")
    known = {TASK.name: {"schedule": TASK.schedule.describe()}}
    facts: Any = {"version": "1", "tasks": known, "seen_at": now, "expires_at": now + 9 * DAY}
    Replica.objects.create(replica="host:1:a", started_at=now - 9 * DAY, **facts)


async def in_database(function: Callable[..., Any], *arguments: Any) -> None:
    def call() -> None:
        try:
            function(*arguments)
        finally:
            connections.close_all()

    await asyncio.to_thread(call)


def rename(table: str, to: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {to}")


async def test_it_tells_after_each_look_what_is_overdue_and_when_tasks_succeeded(sqlite_database: Path) -> None:
    await in_database(succeeded, DAY)
    async with watching() as looks:
        assert await looks.more() == [["task"]]
    assert looks.last_success_at.keys() == {"task"}


async def test_where_nobody_is_elected_it_goes_by_its_own_start(sqlite_database: Path) -> None:
    await in_database(succeeded, DAY)
    await in_database(Replica.objects.all().delete)
    async with watching(elected=False) as looks:
        assert await looks.more() == [[]]
        await eventually(lambda: looks.overdue[-1] == ["task"])  # and then it is


@pytest.mark.parametrize("step", [DAY, -DAY], ids=["slept or set forward", "set back"])
async def test_after_a_step_of_the_clock_tasks_first_get_their_time(sqlite_database: Path, step: timedelta) -> None:
    with time_machine.travel(datetime.now(UTC), tick=True) as clock:
        await in_database(succeeded, timedelta(seconds=1))
        async with watching() as looks:
            assert await looks.more() == [[]]
            clock.shift(step)
            assert await looks.more() == [[]]


async def test_after_an_outage_of_the_database_tasks_first_get_their_time_and_it_is_said_once(
    sqlite_database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="asyncsched.alerts")
    await in_database(succeeded, DAY)
    await in_database(rename, "asyncsched_replica", "away")
    async with watching() as looks:
        await eventually(lambda: caplog.records)
        await in_database(rename, "away", "asyncsched_replica")
        assert await looks.more() == [[]]
    assert [record.action for record in caplog.records] == ["alerts_unavailable", "alerts_available"]  # type: ignore[attr-defined]


async def test_one_look_that_fails_is_no_excuse(sqlite_database: Path, caplog: pytest.LogCaptureFixture) -> None:
    await in_database(succeeded, DAY)
    async with watching() as looks:
        assert await looks.more() == [["task"]]
        await in_database(rename, "asyncsched_replica", "away")
        await eventually(lambda: "cannot be found out" in caplog.text)
        await in_database(rename, "away", "asyncsched_replica")
        assert await looks.more() == [["task"]]
