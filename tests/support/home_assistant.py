"""A Home Assistant for tests: the one of the demo, run in a thread of its own and able to go wrong.

with HomeAssistantServer() as server:
    server.url, server.token      # fit for HOME_ASSISTANT_URL and HOME_ASSISTANT_TOKEN
    server.set_entity("light.hall", "on", friendly_name="Hall")
    server.stop(); server.start() # same port
    server.misbehave("html")      # FAULTS or SOCKET_FAULTS; None: behaves again
    server.calls                  # [(domain, service, data), ...]

Its attributes may be set, and its methods called, from any thread.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from demo.home_assistant import HomeAssistant
from demo.home_assistant_socket import Connection
from tests.support.ports import free_port

FAULTS = {"html", "broken_json", "error", "silent", "huge", "redirect"}
"""Wrong answers to REST requests. On the WebSocket ``redirect`` works too, and ``silent`` after the authentication."""

SOCKET_FAULTS = {
    "refuses_websocket": "the handshake is answered 404",
    "closes_at_once": "each connection is closed after the authentication",
    "malformed": "a text that is no JSON instead of each answer",
    "binary": "a binary frame instead of each answer",
    "deep": "JSON without a bottom instead of each answer",
    "huge_frame": "a frame of 40 MiB instead of each answer",
    "dies": "the connection is cut instead of an answer to the second command",
    "refuses_commands": "each command is answered by an error",
    "strange": "the result of each command is of a kind it never has",
}


class HomeAssistantServer(HomeAssistant):
    """One server on one port of 127.0.0.1, whether it is running or not."""

    def __init__(self, token: str = "a-long-lived-token") -> None:
        super().__init__(token=token, port=free_port())
        self.delay = 0.0
        self.requests: list[str] = []
        self.commands: list[str] = []
        self.fault: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def sockets(self) -> int:
        """How many WebSockets are open."""
        return len(self._connections)

    def set_entity(self, entity_id: str, state: str, **attributes: object) -> None:
        self._on_its_loop(lambda: super(HomeAssistantServer, self).set_entity(entity_id, state, **attributes))

    def remove_entity(self, entity_id: str) -> None:
        self._on_its_loop(lambda: super(HomeAssistantServer, self).remove_entity(entity_id))

    def rename_entity(self, entity_id: str, new_id: str) -> None:
        self._on_its_loop(lambda: super(HomeAssistantServer, self).rename_entity(entity_id, new_id))

    def misbehave(self, fault: str | None) -> None:
        """Answer wrongly from now on, in the way *fault* says; None ends it."""
        assert fault is None or fault in FAULTS | SOCKET_FAULTS.keys()
        self.fault = fault

    def cut(self) -> None:
        """Cut all WebSockets without a word."""
        self._on_its_loop(lambda: [connection.drop() for connection in tuple(self._connections)])

    def start(self) -> None:
        """Start it and return once it takes connections."""
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), name="home assistant")
        self._thread.start()
        assert started.wait(10), "the Home Assistant of the tests did not start"

    def stop(self) -> None:
        """Stop it and return once it has; connections to it are refused at once."""
        if self._thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(20)
            self._thread = None

    def __enter__(self) -> "HomeAssistantServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.linger = 0.0
        self.stop()

    def connect(self, socket: web.WebSocketResponse, transport: asyncio.Transport) -> Connection:
        return _FaultyConnection(self, socket, transport)

    @web.middleware
    async def gate(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        """Token check and faults, before any handler."""
        self.requests.append(f"{request.method} {request.path}")
        if request.path == "/api/websocket" and self.fault not in ("refuses_websocket", "redirect"):
            return await handler(request)
        if request.path != "/api/websocket" and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401, text="401: Unauthorized")
        await asyncio.sleep(3600 if self.fault == "silent" else self.delay)
        return self._faulty() or await handler(request)

    def _faulty(self) -> web.StreamResponse | None:
        answers: dict[str | None, dict[str, Any]] = {
            "html": {"text": "<html><body>Please sign in</body></html>", "content_type": "text/html"},
            "broken_json": {"text": '{"message": "API runn', "content_type": "application/json"},
            "error": {"status": 500, "text": "500 Internal Server Error"},
            "huge": {"body": bytes(33 * 2**20), "content_type": "application/json"},
            "redirect": {"status": 302, "headers": {"Location": "http://127.0.0.1:9/elsewhere"}},
            "refuses_websocket": {"status": 404, "text": "404: Not Found"},
        }
        return web.Response(**answers[self.fault]) if self.fault in answers else None

    async def _serve(self, started: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        await HomeAssistant.start(self)
        started.set()
        await self._stopping.wait()
        await HomeAssistant.stop(self)
        # A connection that has not got rid of a huge answer, or was only just accepted, would outlive the loop.
        for _ in range(3):
            await asyncio.sleep(0)
            for transport in tuple(self._loop._transports.values()):
                transport.abort()
        await asyncio.sleep(0)

    def _on_its_loop(self, change: Callable[[], object]) -> None:
        """Make the *change* on the server's loop while it runs, and return when it is made."""

        async def make() -> None:
            change()

        # On its own thread it is asked by one of its services.
        if self._thread is None or threading.current_thread() is self._thread:
            change()
        else:
            asyncio.run_coroutine_threadsafe(make(), self._loop).result(10)


class _FaultyConnection(Connection):
    """A WebSocket that goes wrong as its server's fault says."""

    home: HomeAssistantServer

    def send_raw(self, data: str | bytes) -> None:
        self._waiting.put_nowait(data)

    async def transmit(self, data: str | bytes) -> None:
        await (self.socket.send_str(data) if isinstance(data, str) else self.socket.send_bytes(data))

    async def authenticate(self) -> bool:
        return await super().authenticate() and self.home.fault != "closes_at_once"

    def answer(self, message: Mapping[str, Any]) -> None:
        self.home.commands.append(message["type"])
        match self.home.fault:
            case "silent":
                return
            case "malformed":
                self.send_raw('{"id": 1, "type": "res')
            case "binary":
                self.send_raw(b"\x00\xff\xfe")
            case "deep":
                self.send_raw("[" * 100_000)
            case "huge_frame":
                self.send_raw('"' + "x" * (40 * 2**20) + '"')
            case "dies" if message["id"] > 1:
                self.drop()
            case "strange":
                self.send({"id": message["id"], "type": "result", "success": True, "result": 7})
            case "refuses_commands":
                error = {"code": "unauthorized", "message": "Unauthorized"}
                self.send({"id": message["id"], "type": "result", "success": False, "error": error})
            case _:
                super().answer(message)
