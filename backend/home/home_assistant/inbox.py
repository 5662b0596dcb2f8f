"""What came from Home Assistant and waits to be stored, in the order in which it came."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Any

from home.home_assistant.entities import Held, Listing

MAX_EVENTS = 10_000
MAX_CHARACTERS = 8 * 2**20  # of JSON; in memory it takes several times as much


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """A ``state_changed`` as it came, and how many characters it had."""

    content: dict[str, Any]
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What does the table hold, once all that came before is stored?"""

    answer: "asyncio.Future[dict[str, Held]]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


Item = Event | Question | Listing


class Inbox:
    """The waiting items. An item leaves only when it is known to be stored. For use on the event loop only.

    If more events come than may wait, all that wait are forgotten and ``incomplete`` is set: then a
    full list of the present states is needed in their place, which is also the shortest way to say
    what they said.
    """

    def __init__(self, most_events: int = MAX_EVENTS, most_characters: int = MAX_CHARACTERS) -> None:
        self._most_events = most_events
        self._most_characters = most_characters
        self._waiting: deque[Item] = deque()
        self._filled = asyncio.Event()
        self._events = 0
        self._characters = 0
        self.incomplete = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, item: Item) -> bool:
        """Add *item*; False if it was an event too many, and what waited is forgotten with it."""
        if isinstance(item, Event):
            if self._events >= self._most_events or self._characters + item.size > self._most_characters:
                self._forget()
                return False
            self._count(item, 1)
        else:
            # Of two questions only the later one is still waited for; of two lists the older one says nothing.
            self._keep(lambda other: type(other) is not type(item))
        self._waiting.append(item)
        self._filled.set()
        return True

    async def wait(self) -> None:
        """Return once there is something to store."""
        await self._filled.wait()

    def first(self) -> Item | None:
        """Return what waits longest, and leave it there."""
        return self._waiting[0] if self._waiting else None

    def first_events(self, most: int) -> list[Event]:
        """Return the events at the head of the queue, at *most* so many, and leave them there."""
        head = takewhile(lambda item: isinstance(item, Event), islice(self._waiting, most))
        return [item for item in head if isinstance(item, Event)]

    def remove(self, stored: Sequence[Item]) -> None:
        """Take out what is *stored*, unless it was forgotten in the meantime."""
        for item in stored:
            if self._waiting and self._waiting[0] is item:
                self._waiting.popleft()
                self._count(item, -1)
        if not self._waiting:
            self._filled.clear()

    def _forget(self) -> None:
        # Questions stay, for somebody waits for the answer.
        self._keep(lambda item: isinstance(item, Question))
        self.incomplete.set()

    def _keep(self, wanted: Callable[[Item], bool]) -> None:
        self._waiting = deque(filter(wanted, self._waiting))
        self._events = self._characters = 0
        for item in self._waiting:
            self._count(item, 1)

    def _count(self, item: Item, by: int) -> None:
        if isinstance(item, Event):
            self._events += by
            self._characters += by * item.size
