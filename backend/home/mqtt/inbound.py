"""The queue between the socket and the handlers. It has an upper limit in bytes, whatever a publisher does."""

import asyncio

from aiomqtt import Message

from home.drops import Drops

MAX_PAYLOAD = 256 * 2**10  # bytes; a Frigate event takes about 2 KiB
MAX_BYTES = 16 * 2**20
MAX_MESSAGES = 10_000


class InboundQueue(asyncio.Queue[Message]):
    """Messages received and not yet handled. What does not fit is dropped and counted, never raised."""

    def __init__(self, drops: Drops, maxsize: int = MAX_MESSAGES) -> None:
        super().__init__(maxsize)
        self._drops = drops
        self._bytes = 0

    def put_nowait(self, item: Message) -> None:
        """Add *item*, or count it as dropped."""
        size = _size(item)
        if size > MAX_PAYLOAD:
            self._drops.count("too large")
        elif self.full() or self._bytes + size > MAX_BYTES:
            self._drops.count("more than can be handled")
        else:
            self._bytes += size
            super().put_nowait(item)

    def get_nowait(self) -> Message:
        """Take the oldest message."""
        item = super().get_nowait()
        self._bytes -= _size(item)
        return item


def _size(message: Message) -> int:
    return len(message.payload) if isinstance(message.payload, bytes) else 0
