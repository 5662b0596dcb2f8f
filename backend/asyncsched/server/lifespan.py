"""The one line in ``asgi.py``: starts and drains the scheduler with the server.

What the servers make of it, each seen in ``tests/e2e``: a start-up that fails ends daphne and
uvicorn with exit code 3 and granian with 1. hypercorn 0.18 logs the reason and stops, but forgets
its worker's exit code and exits 0; with ``--workers 0``, which serves in the main process, it exits
1. uvicorn drains the scheduler only after its connections have closed, for which it waits as long
as ``--timeout-graceful-shutdown`` says, by default for ever. With ``--lifespan off`` the scheduler
never runs; the first request logs a warning.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from asyncsched.engine.boundary import Boundary
from asyncsched.engine.culprits import Culprit, work_for
from asyncsched.server import daphne
from asyncsched.server.host import Host, explain
from asyncsched.server.signals import next_signal

# Servers and frameworks each have types of their own for what ASGI passes on; these go together with all of them.
Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

LONGEST_PATH = 200  # characters of an address that are worth a place in the log
PROBES = ("/healthz", "/readyz")
FORCED_GRACE = 0.5  # seconds: a server that is forced to quit closes the loop and waits for nobody


class SchedulerLifespan:
    """ASGI middleware, to be the outermost: ``application = SchedulerLifespan(ProtocolTypeRouter({…}))``.

    Answers the server's lifespan events itself; the wrapped application never sees them. Daphne
    sends none, so there the start and the drain hang on its reactor. Requests that come before the
    start is through are held until it is; probes are not, it is theirs to say that it starts.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._host = Host()
        daphne.drive(self._host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        if not scope.get("path", "").endswith(PROBES):
            await self._host.wait_while_starting()
        work_for(partial(_asker, scope))
        await self._application({**scope, "asyncsched": self._host}, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Keep the ASGI lifespan protocol: one startup, one shutdown, each answered."""
        await receive()
        with Boundary() as boundary:
            await self._host.start()
        if boundary.error:
            reason = explain(boundary.error)
            await send({"type": "lifespan.startup.failed", "message": reason})
            return
        scope.get("state", {})["asyncsched"] = self._host
        await send({"type": "lifespan.startup.complete"})
        try:
            await receive()
        except asyncio.CancelledError:
            await self._host.stop(FORCED_GRACE)
            raise
        with Boundary() as boundary, next_signal(self._host.hurry):
            await self._host.stop()
        if boundary.error:
            await send({"type": "lifespan.shutdown.failed", "message": explain(boundary.error)})
            return
        await send({"type": "lifespan.shutdown.complete"})


def _asker(scope: Scope) -> Culprit:
    """Return the request or socket of *scope*, without its query, in which there may be secrets."""
    kind = f"request {scope.get('method')}" if scope["type"] == "http" else scope["type"]
    return Culprit(name=f"{kind} {quote(scope.get('path', ''))[:LONGEST_PATH]}")
