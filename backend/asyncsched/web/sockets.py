"""WebSockets that push: the client listens, and what it says is ignored."""

import asyncio
import json
from collections.abc import Callable, Iterable

from asgiref.sync import sync_to_async
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from asyncsched.listeners.channels import GROUP
from asyncsched.registry import service
from asyncsched.server.lifespan import Receive, Scope, Send
from asyncsched.web.access import may_view
from asyncsched.web.health import running_of
from asyncsched.web.mail import Mail, Mailbox, carry
from asyncsched.web.relay import Relay

User = AbstractBaseUser | AnonymousUser

NOT_SIGNED_IN = 4401
NOT_ALLOWED = 4403
GOODBYE = {"type": "websocket.close", "code": 4503}  # come back soon; autobahn, in Daphne, refuses the official 1012
GOODBYE_PATIENCE = 0.5  # seconds
CLOSE_PATIENCE = 1.0
RUNS_KEPT = 200


class OpenSockets:
    """The connections of this process, so that a drain can end them.

    Servers do not do it reliably: Daphne 4.2 forgets its WebSockets when any idle HTTP connection
    is open, and what is then still suspended crashes the interpreter on its way out.
    """

    def __init__(self) -> None:
        self._connections: dict[asyncio.Timeout, asyncio.Task[object] | None] = {}

    async def until_disconnect(self, receive: Receive) -> bool:
        """Return True when the client has gone, False when it should go because the server drains."""
        drain = asyncio.timeout(None)  # no time is up before there is one
        try:
            async with drain:
                self._connections[drain] = asyncio.current_task()
                await _disconnect(receive)
        except TimeoutError:
            if not drain.expired():
                raise
        finally:
            del self._connections[drain]
        return not drain.expired()

    async def hold(self) -> None:
        """A service: wait for the drain, then end every connection."""
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            connections = [task for task in self._connections.values() if task]
            for drain in self._connections:
                drain.reschedule(asyncio.get_running_loop().time())
            if connections:
                await asyncio.wait(connections, timeout=CLOSE_PATIENCE)


open_sockets = OpenSockets()
service("open sockets")(open_sockets.hold)


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
        opening: Callable[[Scope], Iterable[Mail]] = lambda _: (),
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
        if code := await sync_to_async(self._refusal)(scope["user"]):
            await send({"type": "websocket.close", "code": code})
            return
        try:
            has_gone = await self._push(scope, receive, send)
        except asyncio.CancelledError:
            await _say_goodbye(receive, send)  # where Daphne does remember to end its applications, it cancels them
            raise
        if not has_gone:
            await _say_goodbye(receive, send)

    async def _push(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Push until the client has gone (True), or should go because the server drains (False)."""
        async with Mailbox(send, keep=self._keep) as mailbox, self._relay.delivering_to(mailbox):
            for mail in self._opening(scope):
                mailbox.put(mail)
            await carry([mailbox])
            return await open_sockets.until_disconnect(receive)


def signed_in_only(user: User) -> int | None:
    """Refuse anonymous users with 4401."""
    return None if user.is_authenticated and user.is_active else NOT_SIGNED_IN


def viewers_only(user: User) -> int | None:
    """Refuse anonymous users with 4401, and who may not see runs with 4403. It may ask the database."""
    return signed_in_only(user) or (None if may_view(user) else NOT_ALLOWED)


def runs_socket() -> PushSocket:
    """Return the socket of ``/ws/runs/``: who may see runs sees every one of them start, get on and finish."""
    relay = Relay(GROUP, read=lambda message: Mail(text=json.dumps(message["run"])), silence=300.0)
    return PushSocket(relay, refusal=viewers_only, opening=progress, keep=RUNS_KEPT)


def progress(scope: Scope) -> Iterable[Mail]:
    """Return how far each run is that goes on in the process that serves *scope*, and has said so."""
    for run in running_of(scope):
        if run.done is not None:
            task = run.claim.occurrence.task
            message = {"type": "progress", "id": run.claim.run_id, "task": task, "done": run.done, "total": run.total}
            yield Mail(text=json.dumps(message))


async def _say_goodbye(receive: Receive, send: Send) -> None:
    """Close, and wait a little for the client's answer: what a stopping server has not written by then is lost."""
    try:
        async with asyncio.timeout(GOODBYE_PATIENCE):
            await send(GOODBYE)
            await _disconnect(receive)
    except TimeoutError:
        return


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        continue
