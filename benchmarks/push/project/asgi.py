"""
The server that is measured: WebSocket clients get the real status message in the way that `PUSH_SYSTEM` names.

Beside the socket there is `GET /push?count=5&every=1`, which answers when the last push has had its time, and
`GET /usage`, which tells what this process has used so far.
"""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import django

django.setup()  # what follows needs the apps

from asyncsched.server.lifespan import Receive, Scope, Send
from benchmarks.push.project.systems import SYSTEMS

TICK = 0.02  # seconds between two looks at how late the loop is


class Usage:
    """What this process uses: processor time, memory, and how long its loop is kept from a timer."""

    def __init__(self) -> None:
        self._stalls: list[float] = []
        self._ticking: asyncio.Task[None] | None = None

    def read(self) -> dict[str, Any]:
        """Return it, the stalls since the last call."""
        if self._ticking is None:
            self._ticking = asyncio.create_task(self._tick())
        stalls, self._stalls = self._stalls, []
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        rss = pages * os.sysconf("SC_PAGE_SIZE")
        return {"cpu_s": time.process_time(), "rss_bytes": rss, "stalls_ms": stalls}

    async def _tick(self) -> None:
        while True:
            due = time.monotonic() + TICK
            await asyncio.sleep(TICK)
            self._stalls.append((time.monotonic() - due) * 1000)


system = SYSTEMS[os.environ["PUSH_SYSTEM"]]()
usage = Usage()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one connection."""
    if scope["type"] == "websocket":
        await system.serve(scope, receive, send)
        return
    answer = await _push(scope) if scope["path"] == "/push" else usage.read()
    body = json.dumps(answer).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


async def _push(scope: Scope) -> dict[str, Any]:
    asked = parse_qs(scope["query_string"].decode())
    count, every = int(asked["count"][0]), float(asked["every"][0])
    start = time.monotonic()
    for number in range(1, count + 1):
        await system.push()
        await asyncio.sleep(start + number * every - time.monotonic())
    return {"pushes": count}
