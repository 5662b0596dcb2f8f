"""
The clients, in a process of their own: `python -m benchmarks.push.clients PORTS COUNT FIRST LAST`.

COUNT clients, spread over PORTS (with commas between), note how old each message is when they get it. Says "ready" when
all are connected, and then in one line of JSON what they got of the messages numbered from FIRST to LAST.
"""

import asyncio
import gc
import json
import sys
from collections import Counter
from datetime import UTC, datetime

from websockets.asyncio.client import connect

CONNECTING_AT_ONCE = 50
PATIENCE = 60.0  # seconds until the last message


class Clients:
    """What *count* clients of *ports* hear, and how late, in milliseconds."""

    def __init__(self, ports: list[int], count: int, *, first: int, last: int) -> None:
        self._addresses = [f"ws://127.0.0.1:{ports[number % len(ports)]}/" for number in range(count)]
        self._first, self._last = first, last
        self._connecting = asyncio.Semaphore(CONNECTING_AT_ONCE)
        self._missing = count
        self.delays: list[float] = []
        self.sizes: Counter[int] = Counter()

    async def listen(self) -> None:
        """Connect all, say so, and return when each has heard the last message, or it is too late for that."""
        try:
            async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
                for address in self._addresses:
                    group.create_task(self._listen(address))
        except TimeoutError:
            return

    async def _listen(self, address: str) -> None:
        async with self._connecting:
            # Compression is offered, as browsers do.
            connection = await connect(address, ping_interval=None, open_timeout=PATIENCE)
        self._missing -= 1
        if not self._missing:
            gc.freeze()  # a thousand connections need not be looked through while messages arrive
            print("ready", flush=True)  # noqa: T201
        async for text in connection:
            now = datetime.now(UTC)
            message = json.loads(text)
            if message["sequence"] >= self._first:
                self.delays.append((now - datetime.fromisoformat(message["timestamp"])).total_seconds() * 1000)
                self.sizes[len(text)] += 1
            if message["sequence"] >= self._last:
                break
        await connection.close()


def main() -> None:
    """Listen, and print what was heard."""
    ports, count, first, last = sys.argv[1:]
    clients = Clients([int(port) for port in ports.split(",")], int(count), first=int(first), last=int(last))
    asyncio.run(clients.listen())
    delays = sorted(clients.delays)
    found = {
        "p50_ms": delays[len(delays) // 2],
        "p99_ms": delays[len(delays) * 99 // 100],
        "max_ms": delays[-1],
        "received_share": len(delays) / int(count) / (int(last) - int(first) + 1),
        "message_bytes": clients.sizes.most_common(1)[0][0],
    }
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main()
