"""Django's connections around a run: a thread of its own, nothing left open, nobody held up."""

import asyncio
import threading
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from asyncsched.models import TaskState
from asyncsched.storage.connections import TaskConnections


def this_thread() -> threading.Thread:
    return threading.current_thread()


async def test_each_run_has_a_database_thread_of_its_own(sqlite_database: Path) -> None:
    async def thread_of_a_run() -> threading.Thread:
        with TaskConnections():
            return await sync_to_async(this_thread)()

    one, other = await asyncio.gather(thread_of_a_run(), thread_of_a_run())
    assert one is not other


async def test_the_async_orm_works_and_leaves_no_connection_open(sqlite_database: Path) -> None:
    used = []
    with TaskConnections():
        assert await TaskState.objects.acount() == 0
        used.append(await sync_to_async(lambda: connections["default"])())
        thread = await sync_to_async(this_thread)()
    await asyncio.to_thread(thread.join, 5)
    assert used[0].connection is None


async def test_a_query_that_hangs_does_not_hold_up_the_end_of_its_run() -> None:
    release = threading.Event()
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await held_up(release)
    took = loop.time() - began
    release.set()
    assert took < 5


async def held_up(release: threading.Event) -> None:
    with TaskConnections():
        await sync_to_async(release.wait)(10)
