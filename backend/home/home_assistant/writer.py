"""From the inbox to the database, batch by batch, for as long as it takes."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.db import DataError, Error, IntegrityError, close_old_connections, connections

from home import status
from home.backoff import delay
from home.changes import EntityChange
from home.drops import Drops
from home.home_assistant.entities import Held, Listing, Step, read_change, read_listing
from home.home_assistant.inbox import Event, Inbox, Question
from home.home_assistant.store import Stored, held, store

logger = logging.getLogger(__name__)

BATCH = 50  # steps; longer batches stall the loop, because Python runs one thread at a time
BREATH = 0.01  # seconds between batches, for the loop and for other writers
FIRST_DELAY = 0.5  # seconds
LONGEST_DELAY = 5.0  # seconds
FLUSH_TIMEOUT = 3.0  # seconds

Result = TypeVar("Result")


async def write_forever(inbox: Inbox, drops: Drops) -> None:
    """Store what comes into *inbox*, until cancelled. While the database is away, try again and again."""
    failures = 0
    while True:
        await inbox.wait()
        try:
            await _store_first(inbox, drops)
        except Error as error:
            failures += 1
            # The kind only: the text of some database errors repeats the statement with its values.
            status.report_home_assistant_storing(f"states wait to be stored: {type(error).__name__}")
            await asyncio.sleep(delay(failures, first=FIRST_DELAY, most=LONGEST_DELAY))
        else:
            failures = 0
            status.report_home_assistant_storing(None)
            await asyncio.sleep(BREATH)


async def flush(inbox: Inbox, drops: Drops) -> None:
    """Store what is left, once, in at most FLUSH_TIMEOUT seconds, and disconnect; log how much could not be."""
    try:
        async with asyncio.timeout(FLUSH_TIMEOUT):
            while inbox.first():
                await _store_first(inbox, drops)
            await sync_to_async(connections.close_all)()
    except (Error, TimeoutError) as error:
        logger.error("%d states were not stored: %s", len(inbox), type(error).__name__)  # noqa: TRY400 - expected


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
    return await sync_to_async(_let_go_after(held))()


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
        return [await sync_to_async(_let_go_after(lambda: store(steps)))()]
    except (DataError, IntegrityError):
        # One of them is at fault, and it must not stop the others for ever.
        return [stored for step in steps if (stored := await _store_one(step, drops))]


async def _store_one(step: Step, drops: Drops) -> Stored | None:
    try:
        return await sync_to_async(_let_go_after(lambda: store([step])))()
    except (DataError, IntegrityError):
        drops.count("refused by the database")
        return None


def _let_go_after(work: Callable[[], Result]) -> Callable[[], Result]:
    """Return *work* that closes its connection if that is broken or not to be kept, as after a web request."""

    def work_and_let_go() -> Result:
        try:
            return work()
        finally:
            close_old_connections()

    return work_and_let_go
