"""
The server that is measured: WebSocket clients get the real status message in the way that `PUSH_SYSTEM` names.

Beside the socket there is `GET /push?count=5&every=1`, which answers when the last push has had its time, and tells how
late timers were after a push; and `GET /usage`, which tells what this process has used so far.
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

TICK = 0.01  # seconds; timers that are set after a push, one after the other
TICKS = 20  # and how many: they are work, too

system = SYSTEMS[os.environ["PUSH_SYSTEM"]]()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one connection."""
    if scope["type"] == "websocket":
        await system.serve(scope, receive, send)
        return
    answer = await _push(scope) if scope["path"] == "/push" else _usage()
    body = json.dumps(answer).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


async def _push(scope: Scope) -> dict[str, Any]:
    asked = parse_qs(scope["query_string"].decode())
    count, every = int(asked["count"][0]), float(asked["every"][0])
    stalls = []
    start = time.monotonic()
    for number in range(1, count + 1):
        await system.push()
        stalls += [await _stall() for _ in range(TICKS)]
        await asyncio.sleep(start + number * every - time.monotonic())
    return {"stalls_ms": stalls}


async def _stall() -> float:
    due = time.monotonic() + TICK
    await asyncio.sleep(TICK)
    return (time.monotonic() - due) * 1000


def _usage() -> dict[str, Any]:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {"cpu_s": time.process_time(), "rss_bytes": pages * os.sysconf("SC_PAGE_SIZE")}
