"""Detections that wait to be stored."""

import asyncio
from collections.abc import Iterable
from itertools import islice

from home.frigate.events import Detection, merged

MAX_WAITING = 10_000  # detections, about 10 MB: hours of a busy house with the database away


class Inbox:
    """The waiting detections, one per Frigate event: further messages about it are merged into it.

    An entry leaves only when it is known to be stored, so nothing is lost when storing is cut short.
    For use on the event loop only.
    """

    def __init__(self, limit: int = MAX_WAITING) -> None:
        self._limit = limit
        self._waiting: dict[str, Detection] = {}
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, detection: Detection) -> bool:
        """Add or merge *detection*; False if it is one too many and was not taken."""
        known = self._waiting.get(detection.event_id)
        if known is None and len(self._waiting) >= self._limit:
            return False
        self._waiting[detection.event_id] = merged(known, detection) if known else detection
        self._filled.set()
        return True

    async def wait(self) -> None:
        """Return once there is something to store."""
        await self._filled.wait()

    def first(self, most: int) -> list[Detection]:
        """Return the *most* that wait longest, and leave them there."""
        return list(islice(self._waiting.values(), most))

    def remove(self, stored: Iterable[Detection]) -> None:
        """Take out what is *stored*, but for those of which there was news in the meantime."""
        for detection in stored:
            if self._waiting.get(detection.event_id) is detection:
                del self._waiting[detection.event_id]
        if not self._waiting:
            self._filled.clear()
