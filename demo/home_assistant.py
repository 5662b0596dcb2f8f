"""A Home Assistant to try things with: entities, services that move them, REST and WebSocket over a real socket.

async with HomeAssistant(token="secret", port=8124) as home:
    home.url, home.token           # fit for HOME_ASSISTANT_URL and HOME_ASSISTANT_TOKEN
    home.set_entity("binary_sensor.door", "off", device_class="door", friendly_name="Front door")
    home.set_state("binary_sensor.door", "on")
    home.calls                     # [(domain, service, data), ...]: what was asked of it

It answers as a real one of 2025 does, as far as its clients notice. For use on one event loop.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from aiohttp import WSCloseCode, web

from demo.home_assistant_socket import Connection

VERSION = "2025.4.0"
RUNNING = "RUNNING"
OPPOSITES = {"on": "off", "off": "on"}

StateObject = dict[str, Any]


def _switched(domain: str) -> dict[tuple[str, str], Callable[[str], str]]:
    return {
        (domain, "turn_on"): lambda _: "on",
        (domain, "turn_off"): lambda _: "off",
        (domain, "toggle"): lambda state: OPPOSITES.get(state, "on"),
    }


SERVICES: dict[tuple[str, str], Callable[[str], str]] = {
    **_switched("light"),
    **_switched("switch"),
    **_switched("siren"),
    **_switched("input_boolean"),
    ("lock", "lock"): lambda _: "locked",
    ("lock", "unlock"): lambda _: "unlocked",
    ("cover", "open_cover"): lambda _: "open",
    ("cover", "close_cover"): lambda _: "closed",
    ("notify", "notify"): lambda state: state,
}
"""The services there are, and what the state of an entity becomes by each."""


class HomeAssistant:
    """One server on one port of 127.0.0.1. ``async with`` starts and stops it; it may be started again."""

    def __init__(self, *, token: str, port: int) -> None:
        self.token = token
        self.port = port
        self.state = RUNNING
        self.recovery_mode = False  # True after a start with a configuration that cannot be read
        self.linger = 0.0  # seconds open WebSockets outlive the listener; a real one takes up to 10
        self.services = dict(SERVICES)
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self._entities: dict[str, StateObject] = {}
        self._connections: set[Connection] = set()
        self._latest = datetime.now(UTC)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def states(self) -> list[StateObject]:
        """The state objects of all entities; while it starts or is in recovery mode, of some of them."""
        states = list(self._entities.values())
        return states if self.state == RUNNING and not self.recovery_mode else states[: len(states) // 2]

    def set_entity(self, entity_id: str, state: str, **attributes: object) -> None:
        """Add the entity or change state and attributes; tell the subscribers unless it was like that already."""
        old = self._entities.get(entity_id)
        now = self._now()
        if old and (old["state"], old["attributes"]) == (state, attributes):
            self._entities[entity_id] = old | {"last_reported": now}
            return
        self._entities[entity_id] = {
            "entity_id": entity_id,
            "state": state,
            "attributes": attributes,
            "last_changed": old["last_changed"] if old and old["state"] == state else now,
            "last_reported": now,
            "last_updated": now,
            "context": _context(),
        }
        self._tell_change(entity_id, old, self._entities[entity_id])

    def set_state(self, entity_id: str, state: str) -> None:
        """Change the state of an entity that is there and leave its attributes."""
        self.set_entity(entity_id, state, **self._entities[entity_id]["attributes"])

    def remove_entity(self, entity_id: str) -> None:
        """Make it unknown."""
        old = self._entities.pop(entity_id)
        self.fire("entity_registry_updated", {"action": "remove", "entity_id": entity_id})
        self._tell_change(entity_id, old, None)

    def rename_entity(self, entity_id: str, new_id: str) -> None:
        """Give it another id: it goes under the old one and comes under the new."""
        old = self._entities.pop(entity_id)
        changes = {"action": "update", "entity_id": new_id, "old_entity_id": entity_id, "changes": {}}
        self.fire("entity_registry_updated", changes)
        self._tell_change(entity_id, old, None)
        self.set_entity(new_id, old["state"], **old["attributes"])

    def call_service(self, domain: str, service: str, data: Mapping[str, Any]) -> list[StateObject]:
        """Do what is asked and return the state objects it changed; raise LookupError for an unknown service."""
        change = self.services[domain, service]
        self.calls.append((domain, service, dict(data)))
        named = data.get("entity_id", [])
        entity_ids = [name for name in ([named] if isinstance(named, str) else named) if name in self._entities]
        for entity_id in entity_ids:
            self.set_state(entity_id, change(self._entities[entity_id]["state"]))
        return [self._entities[entity_id] for entity_id in entity_ids]

    def fire(self, event_type: str, data: Mapping[str, Any]) -> None:
        """Tell who subscribed *event_type*, or everything."""
        event = {
            "event_type": event_type,
            "data": data,
            "origin": "LOCAL",
            "time_fired": self._now(),
            "context": _context(),
        }
        for connection in tuple(self._connections):
            connection.tell(event)

    def config(self) -> dict[str, Any]:
        """Return what it says of itself."""
        return {
            "version": VERSION,
            "state": self.state,
            "recovery_mode": self.recovery_mode,
            "location_name": "Home",
            "components": [],
        }

    async def start(self) -> None:
        """Listen; return once connections are taken. Raises OSError if the port is taken."""
        application = web.Application(middlewares=[self.gate])
        application.add_routes(
            [
                web.get("/api/", self._api),
                web.get("/api/config", self._config),
                web.get("/api/states", self._states),
                web.post("/api/services/{domain}/{service}", self._service),
                web.get("/api/websocket", self._websocket),
            ]
        )
        self._runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()

    async def stop(self) -> None:
        """Refuse connections at once, and close the WebSockets after the time they may ``linger``."""
        if self._runner is None:
            return
        for site in tuple(self._runner.sites):
            await site.stop()
        await asyncio.sleep(self.linger)
        await asyncio.gather(*(connection.close(WSCloseCode.OK) for connection in self._connections))
        await self._runner.cleanup()
        self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @web.middleware
    async def gate(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        """Let REST requests with the token in; a WebSocket says its token itself."""
        if request.path != "/api/websocket" and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401, text="401: Unauthorized")
        response: web.StreamResponse = await handler(request)
        return response

    def connect(self, socket: web.WebSocketResponse, transport: asyncio.Transport) -> Connection:
        """Return what serves the WebSocket *socket* over *transport*."""
        return Connection(self, socket, transport)

    async def _api(self, _: web.Request) -> web.Response:
        return web.json_response({"message": "API running."})

    async def _config(self, _: web.Request) -> web.Response:
        return web.json_response(self.config())

    async def _states(self, _: web.Request) -> web.Response:
        return web.json_response(self.states)

    async def _service(self, request: web.Request) -> web.Response:
        try:
            data = json.loads(await request.text() or "{}")
            changed = self.call_service(request.match_info["domain"], request.match_info["service"], data)
        except (LookupError, ValueError):  # no such service; no JSON
            return web.Response(status=400, text="400: Bad Request")
        return web.json_response(changed)

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=55, timeout=1.0)
        await socket.prepare(request)
        if request.transport is None:  # hung up already
            return socket
        connection = self.connect(socket, request.transport)
        self._connections.add(connection)
        try:
            await connection.serve()
        finally:
            self._connections.discard(connection)
        return socket

    def _tell_change(self, entity_id: str, old: StateObject | None, new: StateObject | None) -> None:
        self.fire("state_changed", {"entity_id": entity_id, "old_state": old, "new_state": new})

    def _now(self) -> str:
        """Return the present time, later than any before: clients tell old from new by it."""
        self._latest = max(datetime.now(UTC), self._latest + timedelta(microseconds=1))
        return self._latest.isoformat()


def _context() -> dict[str, str | None]:
    return {"id": "01JTEST000000000000000000", "parent_id": None, "user_id": None}
