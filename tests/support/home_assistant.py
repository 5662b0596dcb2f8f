"""A Home Assistant for tests: speaks its REST API over a real socket, from a thread of its own.

with HomeAssistantServer() as server:
    server.url, server.token      # fit for HOME_ASSISTANT_URL and HOME_ASSISTANT_TOKEN
    server.set_entity("light.hall", "on", friendly_name="Hall")
    server.stop(); server.start() # same port
    server.misbehave("html")      # or "broken_json", "error", "silent", "huge", "redirect"; None: behaves again
    server.calls                  # [(domain, service, data), ...]

Its attributes may be set from any thread.
"""

import asyncio
import json
import threading
from datetime import UTC, datetime

from aiohttp import web

from tests.support.ports import free_port

VERSION = "2025.4.0"


class HomeAssistantServer:
    """One server on one port of 127.0.0.1, whether it is running or not."""

    def __init__(self, token: str = "a-long-lived-token") -> None:
        self.token = token
        self.state = "RUNNING"
        self.delay = 0.0
        self.services = {("light", "turn_on"), ("light", "turn_off"), ("switch", "turn_on")}
        self.calls: list[tuple[str, str, dict]] = []
        self.requests: list[str] = []
        self.port = free_port()
        self._entities: dict[str, dict] = {}
        self._fault: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def set_entity(self, entity_id: str, state: str, **attributes: object) -> None:
        """Add the entity or give it another state, at the present time."""
        now = datetime.now(UTC).isoformat()
        self._entities[entity_id] = {
            "entity_id": entity_id,
            "state": state,
            "attributes": attributes,
            "last_changed": now,
            "last_reported": now,
            "last_updated": now,
            "context": {"id": "01", "parent_id": None, "user_id": None},
        }

    def remove_entity(self, entity_id: str) -> None:
        """Make it unknown."""
        del self._entities[entity_id]

    def misbehave(self, fault: str | None) -> None:
        """Answer wrongly from now on, in the way *fault* says; None ends it."""
        self._fault = fault

    def start(self) -> None:
        """Start it and return once it takes connections."""
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), name="home assistant")
        self._thread.start()
        assert started.wait(10), "the Home Assistant of the tests did not start"

    def stop(self) -> None:
        """Stop it at once; connections to it are refused afterwards."""
        if self._thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(10)
            self._thread = None

    def __enter__(self) -> "HomeAssistantServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def _serve(self, started: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        application = web.Application(middlewares=[self._gate])
        application.add_routes(
            [
                web.get("/api/", self._api),
                web.get("/api/config", self._config),
                web.get("/api/states", self._states),
                web.post("/api/services/{domain}/{service}", self._service),
            ]
        )
        runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port, reuse_address=True).start()
        started.set()
        await self._stopping.wait()
        await runner.cleanup()
        # A connection that has not got rid of a huge answer, or was only just accepted, would outlive the loop.
        for _ in range(3):
            await asyncio.sleep(0)
            for transport in tuple(self._loop._transports.values()):
                transport.abort()
        await asyncio.sleep(0)

    @web.middleware
    async def _gate(self, request: web.Request, handler) -> web.StreamResponse:
        """Token check and faults, before any handler."""
        self.requests.append(f"{request.method} {request.path}")
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401, text="401: Unauthorized")
        await asyncio.sleep(3600 if self._fault == "silent" else self.delay)
        return self._faulty() or await handler(request)

    def _faulty(self) -> web.StreamResponse | None:
        match self._fault:
            case "html":
                return web.Response(text="<html><body>Please sign in</body></html>", content_type="text/html")
            case "broken_json":
                return web.Response(text='{"message": "API runn', content_type="application/json")
            case "error":
                return web.Response(status=500, text="500 Internal Server Error")
            case "huge":
                return web.Response(body=b"[" + b" " * (33 * 2**20) + b"]", content_type="application/json")
            case "redirect":
                return web.Response(status=302, headers={"Location": "http://127.0.0.1:9/elsewhere"})
        return None

    async def _api(self, _: web.Request) -> web.Response:
        return web.json_response({"message": "API running."})

    async def _config(self, _: web.Request) -> web.Response:
        return web.json_response({"version": VERSION, "state": self.state, "location_name": "Home", "components": []})

    async def _states(self, _: web.Request) -> web.Response:
        entities = list(self._entities.values())
        # While it starts, a real one answers 200 with the entities it has so far.
        return web.json_response(entities if self.state == "RUNNING" else entities[: len(entities) // 2])

    async def _service(self, request: web.Request) -> web.Response:
        domain, service = request.match_info["domain"], request.match_info["service"]
        if (domain, service) not in self.services:
            return web.Response(status=400, text="400: Bad Request")
        data = json.loads(await request.text() or "{}")
        self.calls.append((domain, service, data))
        return web.json_response([self._entities[data["entity_id"]]] if data.get("entity_id") in self._entities else [])
