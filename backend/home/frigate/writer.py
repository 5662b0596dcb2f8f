"""From the inbox to the database, batch by batch, for as long as it takes."""

import asyncio
import logging

from asgiref.sync import sync_to_async
from django.db import DataError, Error, IntegrityError, close_old_connections, connections

from home import status
from home.backoff import delay
from home.drops import Drops
from home.frigate.inbox import Inbox, Said
from home.frigate.store import store

logger = logging.getLogger(__name__)

BATCH = 100  # rows; longer batches stall the loop, because Python runs one thread at a time
BREATH = 0.03  # seconds between batches: for the loop, for other writers, and for messages to be merged
FIRST_DELAY = 0.5  # seconds
LONGEST_DELAY = 10.0  # seconds
FLUSH_TIMEOUT = 3.0  # seconds


async def write_forever(inbox: Inbox, drops: Drops) -> None:
    """Store what comes into *inbox*, until cancelled. While the database is away, try again and again."""
    failures = 0
    while True:
        await inbox.wait()
        batch = inbox.first(BATCH)
        try:
            inbox.remove(await _store(batch, drops))
        except Error as error:
            failures += 1
            # The kind only: the text of some database errors repeats the statement with its values.
            status.report_frigate_storing(f"detections wait to be stored: {type(error).__name__}")
            await asyncio.sleep(delay(failures, first=FIRST_DELAY, most=LONGEST_DELAY))
        else:
            failures = 0
            status.report_frigate_storing(None)
            await asyncio.sleep(BREATH)


async def flush(inbox: Inbox, drops: Drops) -> None:
    """Store what is left, once, in at most FLUSH_TIMEOUT seconds, and disconnect; log how many could not be."""
    try:
        async with asyncio.timeout(FLUSH_TIMEOUT):
            while batch := inbox.first(BATCH):
                inbox.remove(await _store(batch, drops))
            await sync_to_async(connections.close_all)()
    except (Error, TimeoutError) as error:
        logger.error("%d detections and reviews were not stored: %s", len(inbox), type(error).__name__)  # noqa: TRY400 - expected


async def _store(batch: list[Said], drops: Drops) -> list[Said]:
    """Store *batch* and return what is done with; raise django.db.Error if the database is away."""
    try:
        await sync_to_async(_store_and_let_go)(batch)
    except (DataError, IntegrityError):
        # One of them is at fault, and it must not stop the others for ever.
        if len(batch) > 1:
            return [done for said in batch for done in await _store([said], drops)]
        drops.count("refused by the database")
    return batch


def _store_and_let_go(batch: list[Said]) -> None:
    """Store *batch*; close the connection after it if it is broken or not to be kept, as after a web request."""
    try:
        store(batch)
    finally:
        close_old_connections()
