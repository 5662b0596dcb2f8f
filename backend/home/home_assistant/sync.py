"""The safety net under the live connection: everything, over REST, compared with the table."""

import asyncio
from dataclasses import dataclass

from home import status
from home.drops import Drops
from home.home_assistant.client import Client
from home.home_assistant.entities import Listing
from home.home_assistant.errors import HomeAssistantError
from home.home_assistant.writer import look_up_held, store_listing

SETTLE = 1.0  # seconds; by then what the live connection has heard as well is stored, step by step


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSummary:
    """How a sync changed the table, in numbers of entities."""

    total: int
    written: int
    removed: int

    def __str__(self) -> str:
        return f"{self.total} entities: {self.written} written, {self.removed} removed"


async def sync() -> SyncSummary:
    """Make the table say what Home Assistant says.

    Raises:
        HomeAssistantError: also while it is starting or in recovery mode, for it then has only some
            of its entities, and the others would look removed.
    """
    async with Client.from_settings() as home_assistant:
        if not (await home_assistant.config()).is_complete:
            raise HomeAssistantError("Home Assistant is not fully running: entities stay as they are", permanent=False)
        held = await look_up_held()
        items = await home_assistant.states()
    if status.board.home_assistant_live.connected:
        await asyncio.sleep(SETTLE)
    total, changes = await store_listing(Listing(items=items, held=held), Drops())
    removed = sum(change.after is None for change in changes)
    return SyncSummary(total=total, written=len(changes) - removed, removed=removed)
