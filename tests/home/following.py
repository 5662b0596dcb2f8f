"""Following Home Assistant in a test, as its service does, without the waits that are meant for months."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from home import status
from home.home_assistant import live
from home.models import Entity
from tests.support.deadline import eventually

QUICK = live.Patience(first_retry=0.02, longest_retry=0.1, refused_retry=0.1, starting=0.05, between_lists=0.01)


@asynccontextmanager
async def following(patience=QUICK, *, connected=True):
    """Run the service as the supervisor does; wait until it is connected; cancel it at the end."""
    task = asyncio.create_task(live.follow(patience))
    try:
        if connected:
            await eventually(lambda: task.done() or is_connected(), what="the connection")
        yield task
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def is_connected() -> bool:
    return status.board.home_assistant_live.connected


def error() -> str | None:
    return status.snapshot()["home_assistant"]["error"]


async def states() -> dict[str, str]:
    """Return the states of the entities that are there."""
    return {row.entity_id: row.state async for row in Entity.objects.filter(removed_at=None)}


async def become(**expected: str) -> None:
    """Wait until the table says ``light__hall="on"``: of light.hall that it is on; None: that it is not there."""
    wanted = {name.replace("__", "."): state for name, state in expected.items()}

    async def are() -> bool:
        there = await states()
        return all(there.get(name) == state for name, state in wanted.items())

    await eventually(are, what=str(wanted))


class Told:
    """What was told of entities: ``(entity_id, state before, state after)`` in order."""

    def __init__(self) -> None:
        self.changes = []

    def take(self, changes, **_: object) -> None:
        self.changes += changes

    def of(self, entity_id: str) -> list[tuple[str | None, str | None]]:
        return [
            (change.before and change.before.state, change.after and change.after.state)
            for change in self.changes
            if change.entity_id == entity_id
        ]


@asynccontextmanager
async def table_away():
    """Let every statement about entities fail at once."""
    await sync_to_async(_execute)("ALTER TABLE home_entity RENAME TO away")
    try:
        yield
    finally:
        await sync_to_async(_execute)("ALTER TABLE away RENAME TO home_entity")


def _execute(sql: str) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(sql)
