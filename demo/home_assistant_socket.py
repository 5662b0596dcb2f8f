"""One WebSocket of the simulated Home Assistant: authentication, commands, events."""

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

if TYPE_CHECKING:
    from demo.home_assistant import HomeAssistant

AUTH_TIMEOUT = 10.0  # seconds
MOST_WAITING = 4096  # messages; who reads no faster is disconnected, as by a real one


class Connection:
    """A client of *home*, served until either side hangs up."""

    def __init__(self, home: "HomeAssistant", socket: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        self.home = home
        self.socket = socket
        self._transport = transport
        self._subscriptions: dict[int, str | None] = {}
        self._last_id = 0
        self._waiting: asyncio.Queue[str] = asyncio.Queue(MOST_WAITING)

    async def serve(self) -> None:
        """Greet, check the token, and answer commands."""
        if not await self.authenticate():
            await self.close(1000)
            return
        writing = asyncio.create_task(self._write())
        try:
            async for message in self.socket:
                if message.type is not WSMsgType.TEXT or not self._take(message.data):
                    break
        finally:
            writing.cancel()
            await asyncio.wait([writing])
            await self.close(1000)

    async def authenticate(self) -> bool:
        """Ask for the token; True if the right one is given in time."""
        await self.socket.send_json({"type": "auth_required", "ha_version": self.home.config()["version"]})
        try:
            message = await self.socket.receive_json(timeout=AUTH_TIMEOUT)
        except (TypeError, ValueError, TimeoutError):  # no text; no JSON; nothing
            return False
        if not isinstance(message, dict) or message.get("access_token") != self.home.token:
            await self.socket.send_json({"type": "auth_invalid", "message": "Invalid access token or password"})
            return False
        await self.socket.send_json({"type": "auth_ok", "ha_version": self.home.config()["version"]})
        return True

    def send(self, message: Mapping[str, Any]) -> None:
        """Put *message* behind those that wait to be sent."""
        try:
            self._waiting.put_nowait(json.dumps(message))
        except asyncio.QueueFull:
            self.drop()

    def tell(self, event: Mapping[str, Any]) -> None:
        """Send *event* for each subscription it fits."""
        for number, event_type in tuple(self._subscriptions.items()):
            if event_type in (None, event["event_type"]):
                self.send({"id": number, "type": "event", "event": event})

    async def transmit(self, text: str) -> None:
        """Send *text* as it is."""
        await self.socket.send_str(text)

    def drop(self) -> None:
        """Cut the connection without a word."""
        self._transport.abort()

    async def close(self, code: int) -> None:
        """Say goodbye with *code*; do not wait for an answer."""
        await self.socket.close(code=code, drain=False)

    def answer(self, message: Mapping[str, Any]) -> None:
        """Do what the command *message* says and answer it."""
        number = message["id"]
        match message.get("type"):
            case "ping":
                self.send({"id": number, "type": "pong"})
            case "subscribe_events":
                self._subscriptions[number] = message.get("event_type")
                self._succeed(number, None)
            case "unsubscribe_events":
                self._subscriptions.pop(message.get("subscription", 0), None)
                self._succeed(number, None)
            case "get_states":
                self._succeed(number, self.home.states)
            case "get_config":
                self._succeed(number, self.home.config())
            case "supported_features":
                self._succeed(number, None)
            case "call_service":
                self._call_service(number, message)
            case _:
                self._fail(number, "unknown_command", "Unknown command.")

    def _take(self, text: str) -> bool:
        """Check and answer one message; False if it ends the connection, as what is no JSON does."""
        try:
            message = json.loads(text)
        except ValueError:
            return False
        number = message.get("id") if isinstance(message, dict) else None
        if not isinstance(number, int) or "type" not in message:
            self._fail(number if isinstance(number, int) else 0, "invalid_format", "Message incorrectly formatted.")
        elif number <= self._last_id:
            self._fail(number, "id_reuse", "Identifier values have to increase.")
        else:
            self._last_id = number
            self.answer(message)
        return True

    def _call_service(self, number: int, message: Mapping[str, Any]) -> None:
        domain, service = message.get("domain", ""), message.get("service", "")
        data = (message.get("service_data") or {}) | (message.get("target") or {})
        try:
            self.home.call_service(domain, service, data)
        except LookupError:
            self._fail(number, "not_found", f"Service {domain}.{service} not found.")
        else:
            self._succeed(number, {"context": {"id": "01", "parent_id": None, "user_id": None}, "response": None})

    def _succeed(self, number: int, result: Any) -> None:
        self.send({"id": number, "type": "result", "success": True, "result": result})

    def _fail(self, number: int, code: str, text: str) -> None:
        self.send({"id": number, "type": "result", "success": False, "error": {"code": code, "message": text}})

    async def _write(self) -> None:
        while True:
            text = await self._waiting.get()
            try:
                await self.transmit(text)
            except ConnectionError:
                return
