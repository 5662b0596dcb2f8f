"""From the channel layer to this process's WebSocket clients.

The process joins a group once, not once per client: a push costs one receipt, whatever the layer,
and then one frame per client. It listens only while there are clients.
"""

import asyncio
import contextvars
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from channels.layers import get_channel_layer

from asyncsched.engine.boundary import Boundary
from asyncsched.engine.outage import Outage
from asyncsched.policy import backoff
from asyncsched.web.mail import Mail, Mailbox, carry

logger = logging.getLogger("asyncsched.web")

JOIN_PATIENCE = 2.0  # seconds a new client waits for the layer, before it gets what there is
FIRST_DELAY = 0.5
LONGEST_DELAY = 15.0


class Relay:
    """Hands each message of *group* to every mailbox that has joined.

    *read* turns a layer message into a Mail, once per message. After *silence* seconds without a
    message the group is joined anew: a layer may lose a membership without saying so, as Redis does
    when it restarts and the in-memory layer does after a day.
    """

    def __init__(self, group: str, *, read: Callable[[dict[str, Any]], Mail], silence: float = 3600.0) -> None:
        self._group = group
        self._read = read
        self._silence = silence
        self._mailboxes: set[Mailbox] = set()
        self._listener: asyncio.Task[None] | None = None
        self._joined = asyncio.Event()
        self._outage = Outage(logger, began="outage_began", ended="outage_ended")

    @asynccontextmanager
    async def delivering_to(self, mailbox: Mailbox) -> AsyncIterator[None]:
        """Put every message into *mailbox* inside the ``async with`` block."""
        self._mailboxes.add(mailbox)
        if self._listener is None:
            # In a context of its own: the listener outlives the client that happened to come first.
            self._listener = asyncio.create_task(self._listen_always(), context=contextvars.Context())
        try:
            await self._wait_until_joined()
            yield
        finally:
            self._mailboxes.discard(mailbox)
            if not self._mailboxes:
                await self._stop()

    async def _wait_until_joined(self) -> None:
        try:
            async with asyncio.timeout(JOIN_PATIENCE):
                await self._joined.wait()
        except TimeoutError:
            logger.debug("%s: a client goes on without the channel layer", self._group)

    async def _stop(self) -> None:
        listener, self._listener = self._listener, None
        self._joined = asyncio.Event()
        if listener is not None:
            listener.cancel()
            await asyncio.wait([listener])

    async def _listen_always(self) -> None:
        while True:
            with Boundary() as boundary:
                await self._listen()
            if boundary.error:
                await self._rest_after(boundary.error)

    async def _listen(self) -> None:
        """Deliver until there is silence."""
        layer = get_channel_layer()  # type: ignore[no-untyped-call]
        channel = await layer.new_channel()
        try:
            await layer.group_add(self._group, channel)
            self._joined.set()
            self._outage.worked("%s: the channel layer works again", self._group)
            while True:
                async with asyncio.timeout(self._silence):
                    message = await layer.receive(channel)
                await self._deliver(message)
        except TimeoutError:
            return
        finally:
            await layer.group_discard(self._group, channel)

    async def _deliver(self, message: dict[str, Any]) -> None:
        mail = self._read(message)
        for mailbox in self._mailboxes:
            mailbox.put(mail)
        await carry(self._mailboxes)

    async def _rest_after(self, error: BaseException) -> None:
        self._outage.failed("%s: the channel layer fails", self._group, exc_info=error)
        await asyncio.sleep(backoff(self._outage.failures, first=FIRST_DELAY, most=LONGEST_DELAY))
