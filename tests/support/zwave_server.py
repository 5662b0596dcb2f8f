"""A server that speaks the protocol of Z-Wave JS, on a real socket, without a stick.

async with ZwaveServer(nodes=3) as server:
    server.url                        # fit for ZWAVE_JS_URL
    await server.add_node()
    await server.say('{"type": ...')  # to everybody, as it is
    await server.drop(); await server.stop(); await server.start()

Its messages are those of @zwave-js/server 3 with as little in them as clients bear.
"""

from typing import Any

from aiohttp import WSMsgType, web

from tests.support.ports import free_port

SCHEMAS = (0, 60)  # from and to: today's clients want 35, 50 or 51


class ZwaveServer:
    """One server on one port of 127.0.0.1, whether it is running or not.

    *schemas* are those it says it speaks; *answers* replaces its messages by name: ``version`` or
    that of a command; None means silence.
    """

    def __init__(
        self, *, nodes: int = 2, schemas: tuple[int, int] = SCHEMAS, answers: dict[str, str | None] | None = None
    ) -> None:
        self.port = free_port()
        self.nodes = [_node(number) for number in range(1, nodes + 1)]
        self.schemas = schemas
        self.answers = answers or {}
        self.commands: list[str] = []
        self.connections = 0
        self._sockets: set[web.WebSocketResponse] = set()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def __aenter__(self) -> "ZwaveServer":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen."""
        application = web.Application()
        application.router.add_get("/", self._serve)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        """Close all connections and listen no more."""
        await self.drop()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def drop(self) -> None:
        """Close all connections."""
        for socket in list(self._sockets):
            await socket.close()

    async def say(self, text: str) -> None:
        """Send *text* to everybody, whatever it is."""
        for socket in list(self._sockets):
            await socket.send_str(text)

    async def add_node(self) -> None:
        """A device joins the network."""
        node = _node(len(self.nodes) + 1)
        self.nodes.append(node)
        await self._emit({"event": "node added", "node": node, "result": {"lowSecurity": False}})

    async def remove_node(self) -> None:
        """The last device leaves the network."""
        await self._emit({"event": "node removed", "node": self.nodes.pop(), "reason": 0})

    async def _emit(self, event: dict[str, Any]) -> None:
        for socket in list(self._sockets):
            await socket.send_json({"type": "event", "event": {"source": "controller"} | event})

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        self._sockets.add(socket)
        try:
            await self._answer(socket, "version", self._version())
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    await self._obey(socket, message.json())
        finally:
            self._sockets.discard(socket)
        return socket

    async def _obey(self, socket: web.WebSocketResponse, command: dict[str, Any]) -> None:
        name = command["command"]
        self.commands.append(name)
        results = {
            "initialize": {},
            "driver.get_log_config": {"config": {"enabled": True, "level": "info"}},
            "start_listening": {"state": {"driver": {}, "controller": {"homeId": 1}, "nodes": self.nodes}},
        }
        result = {"type": "result", "success": True, "messageId": command["messageId"], "result": results[name]}
        await self._answer(socket, name, result)

    async def _answer(self, socket: web.WebSocketResponse, name: str, usual: dict[str, Any]) -> None:
        if name not in self.answers:
            await socket.send_json(usual)
        elif (text := self.answers[name]) is not None:
            await socket.send_str(text)

    def _version(self) -> dict[str, Any]:
        lowest, highest = self.schemas
        return {
            "type": "version",
            "homeId": 1,
            "driverVersion": "15.29.0",
            "serverVersion": "3.10.2",
            "minSchemaVersion": lowest,
            "maxSchemaVersion": highest,
        }


def _node(number: int) -> dict[str, Any]:
    return {
        "nodeId": number,
        "index": 0,
        "status": 4,
        "ready": True,
        "values": [],
        "endpoints": [{"nodeId": number, "index": 0, "commandClasses": []}],
    }
