"""From the inbox to the database, batch by batch."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from asgiref.sync import sync_to_async
from django.db import DataError, IntegrityError

from home import status
from home.changes import EntityChange
from home.drops import Drops
from home.home_assistant.entities import Held, Listing, Step, read_change, read_listing
from home.home_assistant.inbox import Event, Inbox, Question
from home.home_assistant.store import Stored, held, store
from home.storing import Storing, in_thread

BATCH = 50  # steps; longer batches stall the loop, because Python runs one thread at a time
BREATH = 0.01  # seconds between batches, for the loop and for other writers


def storing(inbox: Inbox, drops: Drops) -> Storing:
    """Return how what waits in *inbox* is stored; what the database refuses is counted in *drops*."""
    return Storing(
        what="states",
        inbox=inbox,
        store_first=partial(_store_first, inbox, drops),
        report=status.report_home_assistant_storing,
        breath=BREATH,
    )


async def store_listing(listing: Listing, drops: Drops) -> tuple[int, list[EntityChange]]:
    """Make the table say what *listing* says, in short transactions; return how many entities there are, and changes.

    Cut short, the next list finishes the work. Raises django.db.Error.
    """
    total, steps = await sync_to_async(read_listing)(listing, now=datetime.now(UTC))
    changes: list[EntityChange] = []
    for start in range(0, len(steps), BATCH):
        for stored in await _store(steps[start : start + BATCH], drops):
            changes += stored.changes
        await asyncio.sleep(BREATH)
    return total, changes


async def look_up_held() -> dict[str, Held]:
    """Return what the table holds of every entity, for a Listing. Raises django.db.Error."""
    return await in_thread(held)


async def _store_first(inbox: Inbox, drops: Drops) -> None:
    """Store what waits longest, or answer it; raise django.db.Error if the database is away."""
    item = inbox.first()
    if isinstance(item, Event):
        events = inbox.first_events(BATCH)
        steps = await sync_to_async(_read)(events)  # in the thread, for there may be megabytes
        for _ in range(len(events) - len(steps)):
            drops.count("not a change of a state")
        if any(stored.is_behind for stored in await _store(steps, drops)):
            inbox.incomplete.set()
        inbox.remove(events)
    elif item is not None:
        await (_answer(item) if isinstance(item, Question) else store_listing(item, drops))
        inbox.remove([item])


async def _answer(question: Question) -> None:
    held_now = await look_up_held()
    if not question.answer.done():  # who asked may be gone
        question.answer.set_result(held_now)


def _read(events: Sequence[Event]) -> list[Step]:
    now = datetime.now(UTC)
    return [step for event in events if (step := read_change(event.content, now=now))]


async def _store(steps: Sequence[Step], drops: Drops) -> list[Stored]:
    """Store *steps* and say what came of them; raise django.db.Error if the database is away."""
    if not steps:
        return []
    try:
        return [await in_thread(store, steps)]
    except (DataError, IntegrityError):
        # One of them is at fault, and it must not stop the others for ever.
        return [stored for step in steps if (stored := await _store_one(step, drops))]


async def _store_one(step: Step, drops: Drops) -> Stored | None:
    try:
        return await in_thread(store, [step])
    except (DataError, IntegrityError):
        drops.count("refused by the database")
        return None
