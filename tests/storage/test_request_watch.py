"""What people want reaches the event loop when it changes, and until then the loop is left alone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from django.db import connection, connections

from asyncsched.engine.ports import Requests
from asyncsched.errors import StoreUnavailable
from asyncsched.storage import requests
from asyncsched.storage.request_watch import RequestWatch
from asyncsched.storage.thread import DatabaseThread
from tests.support.deadline import eventually

pytestmark = pytest.mark.usefixtures("sqlite_database")
PAUSED = Requests(paused=frozenset({"hourly"}))


class Watched:
    """A watch that looks twenty times a second, and how often it has."""

    def __init__(self) -> None:
        self.looks = 0
        self.watch = RequestWatch(self.looked, every=0.05)
        self.thread = DatabaseThread(self.watch)

    def looked(self) -> None:
        self.looks += 1

    async def next(self) -> Requests:
        async with asyncio.timeout(10):
            return await self.watch.next(self.thread)

    async def more_looks(self) -> None:
        before = self.looks
        await eventually(lambda: self.looks >= before + 2)
        await asyncio.sleep(0)  # the loop hears of what the first of them found


@asynccontextmanager
async def watching() -> AsyncIterator[Watched]:
    watched = Watched()
    yield watched
    await watched.thread.stop(lambda: None, 5)


async def write(change: Callable[[], Any]) -> Any:
    """Make *change* on a connection of its own, as another process does."""

    def call() -> Any:
        try:
            return change()
        finally:
            connections.close_all()

    return await asyncio.to_thread(call)


def rename(table: str, to: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {to}")


async def test_who_asks_first_learns_how_it_is_and_then_what_changes() -> None:
    async with watching() as watched:
        assert await watched.next() == Requests()
        waiting = asyncio.create_task(watched.next())
        await watched.more_looks()
        assert not waiting.done()
        await write(partial(requests.set_paused, "hourly", value=True))
        assert await waiting == PAUSED


async def test_what_changes_while_nobody_waits_is_told_to_who_waits_next() -> None:
    async with watching() as watched:
        await watched.next()
        await write(partial(requests.set_paused, "hourly", value=True))
        await watched.more_looks()
        assert await watched.next() == PAUSED


async def test_a_run_that_is_asked_for_is_told_of_at_each_look_until_it_has_begun() -> None:
    async with watching() as watched:
        asked_at = await write(partial(requests.ask_run, "hourly", by="anna"))
        for _ in range(2):
            assert await watched.next() == Requests(asked={"hourly": asked_at})
        await write(partial(requests.take_up, "hourly", asked_at))
        await watched.more_looks()
        assert await watched.next() == Requests()


async def test_where_somebody_cares_for_more_the_loop_hears_of_every_look() -> None:
    async with watching() as watched:
        watched.watch.tells_always = True
        for _ in range(3):
            assert await watched.next() == Requests()


async def test_that_the_database_does_not_answer_is_told_and_then_that_it_does_again() -> None:
    async with watching() as watched:
        await watched.next()
        await write(partial(rename, "asyncsched_taskstate", "away"))
        with pytest.raises(StoreUnavailable, match="no such table"):
            await watched.next()
        await write(partial(rename, "away", "asyncsched_taskstate"))
        await watched.more_looks()
        assert await watched.next() == Requests()
