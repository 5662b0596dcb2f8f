"""What is pushed to clients: one mailbox for each, and carriers who take it out."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from asyncsched.engine.boundary import Boundary
from asyncsched.server.lifespan import Send

GONE = (OSError, RuntimeError)  # servers say in either way that a client has gone; its reader hears of it, too
AT_ONCE = 20  # clients; to send to so many takes a millisecond or two


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message, encoded once for all clients.

    Where *source* is given, *sequence* rises within it and tells which of two is the newer.
    """

    text: str
    source: str = ""
    sequence: int = 0


class Mailbox:
    """Keeps the latest *keep* mails of one client until a carrier has sent them. Putting never waits.

    After ``async with`` nothing more is sent. If *send* fails other than for a client that has gone,
    the task inside the block is cancelled, and the error is raised at its end.
    """

    __slots__ = ("_carrier", "_error", "_is_open", "_keep", "_mails", "_owner", "_seen", "_send")

    def __init__(self, send: Send, *, keep: int) -> None:
        self._send = send
        self._keep = keep
        self._mails: list[Mail] = []
        self._seen: dict[str, int] = {}
        self._carrier: asyncio.Task[object] | None = None
        self._owner: asyncio.Task[object] | None = None
        self._is_open = True
        self._error: BaseException | None = None

    async def __aenter__(self) -> Self:
        self._owner = asyncio.current_task()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_open = False
        if self._carrier:
            self._carrier.cancel()
            await asyncio.wait([self._carrier])
        if self._error:
            raise self._error

    def put(self, mail: Mail) -> None:
        """Add *mail*, in place of the oldest if there is no room; ignore it if it is not newer than what was put."""
        if mail.source:
            if mail.sequence <= self._seen.get(mail.source, -1):
                return
            self._seen[mail.source] = mail.sequence
        self._mails.append(mail)
        del self._mails[: -self._keep]

    async def send_all(self) -> None:
        """Send what was put, in order, and what is put meanwhile; return at once if a carrier is at it."""
        if self._carrier or not self._is_open:
            return
        self._carrier = asyncio.current_task()
        with Boundary() as boundary:
            while self._mails:
                await self._send({"type": "websocket.send", "text": self._mails.pop(0).text})
        self._carrier = None
        if boundary.error:
            self._fail(boundary.error)

    def _fail(self, error: BaseException) -> None:
        self._is_open = False
        if not isinstance(error, GONE):
            self._error = error
            if self._owner:
                self._owner.cancel()


async def carry(mailboxes: Iterable[Mailbox]) -> None:
    """Have what is in *mailboxes* sent: all of it but what waits for slow clients.

    A carrier goes from one to the next. One that has to wait for a client stays with it, and another
    takes over the rest: so no client delays another, and a client that is not slow costs no task.
    However many they are, the loop gets its turn in between.
    """
    to_do = deque(mailboxes)
    left = len(to_do)
    carriers: list[asyncio.Task[None]] = []
    try:
        while to_do:
            # Nobody has taken anything since the last turn: none carries yet, or all wait for clients.
            if len(to_do) == left:
                carriers.append(asyncio.create_task(_carry(to_do)))
            left = len(to_do)
            await asyncio.sleep(0)
    finally:
        to_do.clear()


async def _carry(to_do: deque[Mailbox]) -> None:
    carried = 0
    while to_do:
        await to_do.popleft().send_all()
        carried += 1
        if carried % AT_ONCE == 0:
            await asyncio.sleep(0)
