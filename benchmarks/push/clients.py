"""
The clients, in a process of their own: `python -m benchmarks.push.clients PORTS COUNT FIRST LAST`.

COUNT clients, spread over PORTS (with commas between), note how old each message is when they get it. Says "ready" when
all have got a first one; when all have the message numbered LAST, one line of JSON of what they got from FIRST on. They
stay until the process is ended.
"""

import asyncio
import gc
import json
import sys
from datetime import UTC, datetime

from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

CONNECTING_AT_ONCE = 50
PATIENCE = 60.0  # seconds until the last message


class Client(asyncio.Protocol):
    """
    One client, which offers compression as browsers do.

    It is the protocol of the library websockets, and no task: the machine has other work while messages arrive.
    """

    def __init__(self, address: str, numbers: range) -> None:
        self._protocol = ClientProtocol(parse_uri(address), extensions=[ClientPerMessageDeflateFactory()])
        self._numbers = numbers
        self.is_connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.has_last: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.delays: list[float] = []  # ms
        self.size = 0  # bytes of the last message

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._protocol.send_request(self._protocol.connect())
        self._send()

    def data_received(self, data: bytes) -> None:
        now = datetime.now(UTC)
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self._take(bytes(event.data), now)
        self._send()

    def _send(self) -> None:
        for data in self._protocol.data_to_send():
            self._transport.write(data)

    def _take(self, text: bytes, now: datetime) -> None:
        if not self.is_connected.done():
            self.is_connected.set_result(None)
        message = json.loads(text)
        if message["sequence"] in self._numbers:
            self.delays.append((now - datetime.fromisoformat(message["timestamp"])).total_seconds() * 1000)
            self.size = len(text)
        if message["sequence"] >= self._numbers[-1] and not self.has_last.done():
            self.has_last.set_result(None)


async def connect(ports: list[int], count: int, numbers: range) -> list[Client]:
    """Return *count* clients that will note the messages of these *numbers*."""
    turns = asyncio.Semaphore(CONNECTING_AT_ONCE)

    async def one(port: int) -> Client:
        async with turns:
            new = Client(f"ws://127.0.0.1:{port}/", numbers)
            await asyncio.get_running_loop().create_connection(lambda: new, "127.0.0.1", port)
            await new.is_connected
            return new

    async with asyncio.timeout(PATIENCE):
        return await asyncio.gather(*(one(ports[number % len(ports)]) for number in range(count)))


def figures(clients: list[Client], expected: int) -> dict[str, float]:
    """Return what they have heard; *expected* is the number of messages for each."""
    delays = sorted(delay for client in clients for delay in client.delays)
    return {
        "p50_ms": delays[len(delays) // 2],
        "p99_ms": delays[len(delays) * 99 // 100],
        "max_ms": delays[-1],
        "received_share": len(delays) / len(clients) / expected,
        "message_bytes": clients[0].size,
    }


async def main() -> None:
    """Connect, listen and tell."""
    ports, count, first, last = sys.argv[1:]
    numbers = range(int(first), int(last) + 1)
    clients = await connect([int(port) for port in ports.split(",")], int(count), numbers)
    gc.freeze()  # so many connections need not be looked through while messages arrive
    print("ready", flush=True)
    await asyncio.wait([client.has_last for client in clients], timeout=PATIENCE)
    print(json.dumps(figures(clients, len(numbers))), flush=True)
    await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main())
