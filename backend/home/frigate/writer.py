"""From the inbox to the database, batch by batch."""

from functools import partial

from django.db import DataError, IntegrityError

from home import status
from home.drops import Drops
from home.frigate.inbox import Inbox, Said
from home.frigate.store import store
from home.storing import Storing, in_thread

BATCH = 100  # rows; longer batches stall the loop, because Python runs one thread at a time
BREATH = 0.03  # seconds between batches, in which messages about the same are merged


def storing(inbox: Inbox, drops: Drops) -> Storing:
    """Return how what waits in *inbox* is stored; what the database refuses is counted in *drops*."""
    return Storing(
        what="detections and reviews",
        inbox=inbox,
        store_first=partial(_store_first, inbox, drops),
        report=status.report_frigate_storing,
        breath=BREATH,
    )


async def _store_first(inbox: Inbox, drops: Drops) -> None:
    inbox.remove(await _store(inbox.first(BATCH), drops))


async def _store(batch: list[Said], drops: Drops) -> list[Said]:
    """Store *batch* and return what is done with; raise django.db.Error if the database is away."""
    try:
        await in_thread(store, batch)
    except (DataError, IntegrityError):
        # One of them is at fault, and it must not stop the others for ever.
        if len(batch) > 1:
            return [done for said in batch for done in await _store([said], drops)]
        drops.count("refused by the database")
    return batch
