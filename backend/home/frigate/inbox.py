"""What waits to be stored."""

import asyncio
from collections.abc import Iterable
from itertools import islice
from typing import TypeAlias

from home.frigate.events import Detection
from home.frigate.reviews import Review

Said: TypeAlias = Detection | Review

MAX_WAITING = 25_000  # about 25 MB: a burst of 2,000 a second for 10 s, also if none of it can be stored meanwhile
MAX_NAMES = 250_000  # of zones, labels and events in them all; a review that lies may have hundreds, of 100 characters


class Inbox:
    """Detections and reviews that wait, one entry for each: further messages about it are merged into it.

    An entry leaves only when it is known to be stored, so nothing is lost when storing is cut short.
    For use on the event loop only.
    """

    def __init__(self, limit: int = MAX_WAITING, most_names: int = MAX_NAMES) -> None:
        self._limit = limit
        self._most_names = most_names
        self._names = 0
        self._waiting: dict[tuple[type[Said], str], Said] = {}
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, said: Said) -> bool:
        """Add or merge *said*; False if that would be too much and it was not taken."""
        key = (type(said), said.key)
        known = self._waiting.get(key)
        # Of one type, since the key names it.
        merged: Said = known.merged(said) if known else said  # type: ignore[arg-type]
        more = _names(merged) - (_names(known) if known else 0)
        if (known is None and len(self._waiting) >= self._limit) or (more and self._names + more > self._most_names):
            return False
        self._waiting[key] = merged
        self._names += more
        self._filled.set()
        return True

    async def wait(self) -> None:
        """Return once there is something to store."""
        await self._filled.wait()

    def first(self, most: int) -> list[Said]:
        """Return the *most* that wait longest, and leave them there."""
        return list(islice(self._waiting.values(), most))

    def remove(self, stored: Iterable[Said]) -> None:
        """Take out what is *stored*, but for that of which there was news in the meantime."""
        for said in stored:
            key = (type(said), said.key)
            if self._waiting.get(key) is said:
                del self._waiting[key]
                self._names -= _names(said)
        if not self._waiting:
            self._filled.clear()


def _names(said: Said) -> int:
    return len(said.zones) + (len(said.labels) + len(said.detections) if isinstance(said, Review) else 0)
