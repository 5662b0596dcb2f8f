"""
Three ways for the status to get to the WebSocket clients of a process. All leave out sessions and users.

A client gets a first message when pushes will reach it.
"""

import json
from typing import Any, Protocol

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import get_channel_layer
from django.contrib.auth.models import AnonymousUser

from alarm.push import GROUP, station
from asyncsched.engine.context import Health
from asyncsched.server.lifespan import Receive, Scope, Send
from asyncsched.web.relay import Relay
from asyncsched.web.sockets import PushSocket

HEALTH = Health(leader=True, tasks=10, running=1, failing=0, lateness_p99=0.0012)


class System(Protocol):
    """Serves clients, and pushes to all of them."""

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None: ...
    async def push(self) -> None: ...


class Ours:
    """The product: the process is a member of the group, and the message is encoded once."""

    def __init__(self) -> None:
        relay = Relay(GROUP, read=station.read, silence=60.0)
        self._socket = PushSocket(relay, refusal=lambda _: None, opening=lambda _: [station.compose(HEALTH)])

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._socket({**scope, "user": AnonymousUser()}, receive, send)

    async def push(self) -> None:
        await station.push(HEALTH)


class StatusConsumer(AsyncJsonWebsocketConsumer):
    """As in Channels' tutorial: every client is a member of the group, and the message is encoded for each."""

    groups = [GROUP]

    async def connect(self) -> None:
        await super().connect()  # type: ignore[no-untyped-call] # Channels carries no types
        await self.send_json(_status(0))  # type: ignore[no-untyped-call]

    async def status_message(self, event: dict[str, Any]) -> None:
        await self.send_json(event["message"])  # type: ignore[no-untyped-call]


class PlainChannels:
    """The same message by ``group_send`` and ``send_json``."""

    def __init__(self) -> None:
        self.serve = StatusConsumer.as_asgi()  # type: ignore[no-untyped-call]
        self._sequence = 0

    async def push(self) -> None:
        self._sequence += 1
        layer = get_channel_layer()  # type: ignore[no-untyped-call]
        await layer.group_send(GROUP, {"type": "status.message", "message": _status(self._sequence)})


class Direct:
    """The least there is to do: the message encoded once, and ``send`` called for one client after the other.

    One slow client delays all others, nobody else has a turn meanwhile, and it reaches this process's clients only.
    """

    def __init__(self) -> None:
        self._clients: set[Send] = set()
        self._sequence = 0

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        self._clients.add(send)
        await send({"type": "websocket.send", "text": station.compose(HEALTH).text})
        while (await receive())["type"] != "websocket.disconnect":
            continue
        self._clients.discard(send)

    async def push(self) -> None:
        self._sequence += 1
        text = json.dumps(_status(self._sequence), separators=(",", ":"))
        for send in list(self._clients):
            await send({"type": "websocket.send", "text": text})


def _status(sequence: int) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(station.compose(HEALTH).text)
    return message | {"sequence": sequence}


SYSTEMS: dict[str, type[System]] = {"ours": Ours, "channels": PlainChannels, "direct": Direct}
