"""A database that somebody else is writing to."""

import asyncio
from contextlib import asynccontextmanager

from django.db import connections


@asynccontextmanager
async def locked_database():
    """Hold SQLite's write lock in another thread."""
    release = asyncio.Event()
    loop = asyncio.get_running_loop()
    locked = asyncio.Event()

    def hold() -> None:
        connection = connections["default"]
        try:
            with connection.cursor() as cursor:
                cursor.execute("BEGIN IMMEDIATE")
                loop.call_soon_threadsafe(locked.set)
                asyncio.run_coroutine_threadsafe(release.wait(), loop).result()
                cursor.execute("ROLLBACK")
        finally:
            connection.close()

    holding = asyncio.create_task(asyncio.to_thread(hold))
    await locked.wait()
    try:
        yield
    finally:
        release.set()
        await holding
