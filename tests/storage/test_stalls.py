"""Stalls of the event loop become rows, whoever caused them, also after an outage."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from asyncsched.engine.runs import Stall
from asyncsched.models import LoopStall
from asyncsched.storage import stalls
from asyncsched.storage.connections import thread_connections
from asyncsched.storage.stalls import StallRecords
from tests.storage.test_store_contract import NOON
from tests.support.deadline import eventually


def stall(at: float = 0.0, **facts: Any) -> Stall:
    facts = {"culprit": "task sync", "where": "shop/tasks.py:12 (sync)", "task": "sync", "run_id": "7"} | facts
    return Stall(stack="", began_at=NOON + timedelta(seconds=at), seconds=0.4, **facts)


class Waiting(StallRecords):
    """Stalls whose thread is the test's own."""

    def stalled(self, stall: Stall) -> None:
        self._waiting.append(stall)


async def test_a_stall_is_a_row_soon(database: Any) -> None:
    records = StallRecords("here")
    records.stalled(stall())

    def rows() -> list[Any]:
        with thread_connections():
            return list(LoopStall.objects.values_list("began_at", "seconds", "replica", "culprit", "where", "task"))

    (row,) = await eventually(lambda: asyncio.to_thread(rows))
    assert row == (NOON, 0.4, "here", "task sync", "shop/tasks.py:12 (sync)", "sync")


def test_whoever_it_was(database: Any) -> None:
    with thread_connections():
        records = Waiting("here")
        records.stalled(stall(culprit=f"request GET /{'x' * 500}\0", task=None, run_id=None))
        records.run_due()
        row = LoopStall.objects.get()
        assert (row.culprit[:15], len(row.culprit), row.task) == ("request GET /xx", 200, "")


def test_those_of_an_outage_are_written_when_it_is_over_and_that_is_said_once(
    sqlite_database: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "asyncsched.storage")
    records = Waiting("here")
    with thread_connections():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE asyncsched_loopstall RENAME TO away")
        for at in range(3):
            records.stalled(stall(at))
            assert records.run_due() == stalls.RETRY
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO asyncsched_loopstall")
        assert records.run_due() == stalls.LONG
        assert LoopStall.objects.count() == 3
    assert [record.__dict__["action"] for record in caplog.records] == ["stalls_unavailable", "stalls_available"]


def test_in_a_long_outage_the_latest_are_kept(sqlite_database: Any) -> None:
    records = Waiting("here")
    with thread_connections():
        for at in range(stalls.MOST_KEPT + 500):
            records.stalled(stall(at))
        records.run_due()
        moments = LoopStall.objects.order_by("began_at").values_list("began_at", flat=True)
        assert len(moments) == stalls.MOST_KEPT
        assert moments[0] == NOON + timedelta(seconds=500)


def test_what_the_database_refuses_holds_up_nothing(postgres_database: Any, caplog: pytest.LogCaptureFixture) -> None:
    records = Waiting("here")
    with thread_connections():
        records.stalled(stall(task="x" * 101))
        assert records.run_due() == 0.0
        records.stalled(stall())
        assert records.run_due() == stalls.LONG
        assert LoopStall.objects.count() == 1
    assert [record.getMessage() for record in caplog.records] == ["1 stalls were refused by the database"]
