"""
The clients, in a process of their own: `python -m benchmarks.push.clients PORTS COUNT FIRST LAST`.

COUNT clients, spread over PORTS (with commas between), note how old each message is when they get it. Says "ready" when
all are connected; when all have the message numbered LAST, one line of JSON of what they got from FIRST on. They stay
until the process is ended.
"""

import asyncio
import gc
import json
import sys
from collections import Counter
from datetime import UTC, datetime

from websockets.asyncio.client import ClientConnection, connect

CONNECTING_AT_ONCE = 50
PATIENCE = 60.0  # seconds until the last message


class Clients:
    """What *count* clients of *ports* hear of the messages numbered from *first* to *last*."""

    def __init__(self, ports: list[int], count: int, *, first: int, last: int) -> None:
        self._addresses = [f"ws://127.0.0.1:{ports[number % len(ports)]}/" for number in range(count)]
        self._numbers = range(first, last + 1)
        self._connecting = asyncio.Semaphore(CONNECTING_AT_ONCE)
        self._delays: list[float] = []  # ms
        self._sizes: Counter[int] = Counter()

    async def run(self) -> None:
        """Connect, listen and tell."""
        connections = await asyncio.gather(*map(self._connect, self._addresses))
        gc.freeze()  # so many connections need not be looked through while messages arrive
        print("ready", flush=True)
        await asyncio.wait([asyncio.create_task(self._listen(one)) for one in connections], timeout=PATIENCE)
        print(json.dumps(self._figures()), flush=True)
        await asyncio.get_running_loop().create_future()

    async def _connect(self, address: str) -> ClientConnection:
        async with self._connecting:  # compression is offered, as browsers do
            return await connect(address, ping_interval=None, open_timeout=PATIENCE)

    async def _listen(self, connection: ClientConnection) -> None:
        async for text in connection:
            now = datetime.now(UTC)
            message = json.loads(text)
            if message["sequence"] in self._numbers:
                self._delays.append((now - datetime.fromisoformat(message["timestamp"])).total_seconds() * 1000)
                self._sizes[len(text)] += 1
            if message["sequence"] >= self._numbers[-1]:
                return

    def _figures(self) -> dict[str, float]:
        delays = sorted(self._delays)
        return {
            "p50_ms": delays[len(delays) // 2],
            "p99_ms": delays[len(delays) * 99 // 100],
            "max_ms": delays[-1],
            "received_share": len(delays) / len(self._addresses) / len(self._numbers),
            "message_bytes": self._sizes.most_common(1)[0][0],
        }


def main() -> None:
    """Listen, and print what was heard."""
    ports, count, first, last = sys.argv[1:]
    clients = Clients([int(port) for port in ports.split(",")], int(count), first=int(first), last=int(last))
    asyncio.run(clients.run())


if __name__ == "__main__":
    main()
