"""What is pushed to one client, and where it waits while the client is slow."""

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from asyncsched.engine.boundary import Boundary
from asyncsched.server.lifespan import Send

GONE = (OSError, RuntimeError)  # servers say in either way that a client has gone; its reader hears of it, too


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message, encoded once for all clients.

    Where *source* is given, *sequence* rises within it and tells which of two is the newer.
    """

    text: str
    source: str = ""
    sequence: int = 0


class Mailbox:
    """Sends one client its mails, in order; the latest *keep* wait while the client is slow.

    Putting never waits, so no client delays another. There is a task only while something is being
    sent. ``async with`` ends it; if *send* fails other than for a client that has gone, the task
    inside the block is cancelled, and the error is raised at its end.
    """

    __slots__ = ("_error", "_keep", "_mails", "_reader", "_seen", "_send", "_sending")

    def __init__(self, send: Send, *, keep: int) -> None:
        self._send = send
        self._keep = keep
        self._mails: list[Mail] = []
        self._seen: dict[str, int] = {}
        self._sending: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[object] | None = None
        self._error: BaseException | None = None

    async def __aenter__(self) -> Self:
        self._reader = asyncio.current_task()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._sending:
            self._sending.cancel()
            await asyncio.wait([self._sending])
        if self._error:
            raise self._error

    def put(self, mail: Mail) -> None:
        """Send *mail*, in place of the oldest if there is no room; ignore it if it is not newer than what was put."""
        if mail.source:
            if mail.sequence <= self._seen.get(mail.source, -1):
                return
            self._seen[mail.source] = mail.sequence
        self._mails.append(mail)
        del self._mails[: -self._keep]
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all())

    async def _send_all(self) -> None:
        with Boundary() as boundary:
            while self._mails:
                await self._send({"type": "websocket.send", "text": self._mails.pop(0).text})
            self._sending = None  # after an error it stays, and nothing more is sent
        if boundary.error and not isinstance(boundary.error, GONE):
            self._error = boundary.error
            if self._reader:
                self._reader.cancel()
