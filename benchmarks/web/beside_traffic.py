"""
Web requests and tasks on one loop: how late the tasks start, and how long the answers take.

`python -m benchmarks.web.beside_traffic SERVER SCHEDULER TASKS SECONDS`: first as many requests as the server can
answer, then RATE a second, each for so many seconds. This process is the client; the server is another one.
"""

import asyncio
import sys
from typing import Any

import aiohttp

from benchmarks.child import report
from benchmarks.engine.measure import Figures, lateness
from benchmarks.web.site import site_on
from benchmarks.web.traffic import as_many_as_possible, client_of, so_many
from tests.support.servers import Server

RATE = 100.0  # requests a second: about half of what Daphne answers on a small machine
WARM_UP = 1.0  # seconds


def measure(kind: str, scheduler: str, tasks: int, seconds: float) -> Figures:
    """Return the figures of one server."""
    with site_on("sqlite", scheduler=scheduler, tasks=tasks) as site, site.server(kind) as server:
        server.wait_until_serving()
        figures = asyncio.run(_measured(server, seconds, has_tasks=scheduler != "off"))
        server.stop()
    return figures


async def _measured(server: Server, seconds: float, *, has_tasks: bool) -> Figures:
    async with client_of(f"http://127.0.0.1:{server.port}") as client:
        await as_many_as_possible(client, during=WARM_UP)
        if has_tasks:
            await _taken(client)
        most = await as_many_as_possible(client, during=seconds)
        saturated = _spread("saturated_http", most.seconds)
        if has_tasks:
            saturated |= _starts("saturated_start", await _taken(client))
        cpu = server.cpu_seconds()
        some = await so_many(client, per_second=RATE, during=seconds)
        cpu = server.cpu_seconds() - cpu
        figures = _spread("http", some.seconds)
        if has_tasks:
            figures |= _starts("start", await _taken(client))
    figures["server_cpu_percent"] = 100 * cpu / seconds
    figures["load_percent"] = 100 * some.per_second / most.per_second
    return figures | {"saturated_requests_per_s": most.per_second} | saturated


async def _taken(client: aiohttp.ClientSession) -> dict[str, Any]:
    """Return what the tasks have noted since somebody asked last."""
    async with client.get("/starts") as answer:
        taken: dict[str, Any] = await answer.json()
        return taken


def _starts(name: str, taken: dict[str, Any]) -> Figures:
    late = taken["lateness"]
    return _spread(name, late) | {f"{name}s": len(late), f"{name}s_missing": taken["missing"]}


def _spread(name: str, seconds: list[float]) -> Figures:
    return {f"{name}_{metric}": value for metric, value in lateness(seconds).items()}


if __name__ == "__main__":
    report(lambda: measure(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
