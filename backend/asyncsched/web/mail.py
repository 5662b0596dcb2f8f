"""What is pushed to one client, and where it waits while the client is slow."""

import asyncio
from collections import deque
from dataclasses import dataclass

from asyncsched.server.lifespan import Send


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message, encoded once for all clients.

    Where *source* is given, *sequence* rises within it and tells which of two is the newer.
    """

    text: str
    source: str = ""
    sequence: int = 0


class Mailbox:
    """Keeps the latest *keep* mails of one client. Putting never waits, so no client delays another."""

    __slots__ = ("_mails", "_news", "_seen")

    def __init__(self, keep: int) -> None:
        self._mails: deque[Mail] = deque(maxlen=keep)
        self._news = asyncio.Event()
        self._seen: dict[str, int] = {}

    def put(self, mail: Mail) -> None:
        """Add *mail*, in place of the oldest if there is no room; ignore it if it is not newer than what was put."""
        if mail.source:
            if mail.sequence <= self._seen.get(mail.source, -1):
                return
            self._seen[mail.source] = mail.sequence
        self._mails.append(mail)
        self._news.set()

    async def forward(self, send: Send) -> None:
        """Send what is put, in order, until cancelled or the client is gone."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._mails:
                try:
                    await send({"type": "websocket.send", "text": self._mails.popleft().text})
                except (OSError, RuntimeError):
                    return  # servers say so in either way; the disconnect is on its way to the reader
