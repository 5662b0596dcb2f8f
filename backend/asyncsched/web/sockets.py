"""WebSockets that push: the client listens, and what it says is ignored."""

import asyncio
import json
from collections.abc import Callable

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from asyncsched.listeners.channels import GROUP
from asyncsched.server.lifespan import Receive, Scope, Send
from asyncsched.web.mail import Mail, Mailbox
from asyncsched.web.relay import Relay

User = AbstractBaseUser | AnonymousUser

NOT_SIGNED_IN = 4401
NOT_ALLOWED = 4403
RUNS_KEPT = 200


class PushSocket:
    """An ASGI application for one address: every client that is admitted gets what *relay* brings.

    Wrap it in Channels' ``AuthMiddlewareStack`` and in ``SameOrigin``. *refusal* says, by a close
    code, why a user may not listen, or None; *opening* is what a client gets at once; a slow client
    keeps its latest *keep* messages and loses older ones.
    """

    def __init__(
        self,
        relay: Relay,
        *,
        refusal: Callable[[User], int | None],
        opening: Callable[[Scope], Mail | None] | None = None,
        keep: int = 1,
    ) -> None:
        self._relay = relay
        self._refusal = refusal
        self._opening = opening
        self._keep = keep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        # Browsers learn the close code only of a connection that was accepted first.
        await send({"type": "websocket.accept"})
        if code := self._refusal(scope["user"]):
            await send({"type": "websocket.close", "code": code})
            return
        mailbox = Mailbox(self._keep)
        async with self._relay.delivering_to(mailbox), asyncio.TaskGroup() as group:
            if self._opening and (mail := self._opening(scope)):
                mailbox.put(mail)
            sender = group.create_task(mailbox.forward(send))
            await _disconnect(receive)
            sender.cancel()


def signed_in_only(user: User) -> int | None:
    """Refuse anonymous users with 4401."""
    return None if user.is_authenticated and user.is_active else NOT_SIGNED_IN


def staff_only(user: User) -> int | None:
    """Refuse anonymous users with 4401, and others who are not staff with 4403."""
    return signed_in_only(user) or (None if getattr(user, "is_staff", False) else NOT_ALLOWED)


def runs_socket() -> PushSocket:
    """Return the socket of ``/ws/runs/``: staff see every run start and finish."""
    relay = Relay(GROUP, read=lambda message: Mail(text=json.dumps(message["run"])), silence=300.0)
    return PushSocket(relay, refusal=staff_only, keep=RUNS_KEPT)


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        continue
