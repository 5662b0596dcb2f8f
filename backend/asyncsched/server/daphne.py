"""Daphne sends no lifespan events; its Twisted reactor says when it runs and when it stops.

Under ``daphne`` and ``manage.py runserver`` the asyncio reactor is installed before the application
is imported. Elsewhere it may be installed too, by the app of that name, but it never runs, and then
nothing here happens.

With ``runserver`` and its autoreloader a reload drains for RELOAD_GRACE. Ending the autoreloader
itself does not drain: Django kills the process that serves, after a SIGTERM at once and after Ctrl-C
within a quarter of a second. What ran then is found ``abandoned`` later.
"""

import asyncio
import atexit
import logging
import sys
import threading
from typing import Any

from asyncsched.engine.boundary import Boundary
from asyncsched.server.host import Host, explain
from asyncsched.server.signals import next_signal

logger = logging.getLogger("asyncsched.server")

EXIT_CODE = 3  # as uvicorn's for an application that failed to start
LAST_PATIENCE = 1.0  # seconds for coroutines that are not ours to end
RELOAD_GRACE = 1.0  # seconds: while developing, a reload should not wait for long


def drive(host: Host) -> None:
    """Start and stop *host* with the Twisted reactor, if one is installed and ever runs."""
    reactor = sys.modules.get("twisted.internet.reactor")
    if reactor is not None and hasattr(reactor, "_asyncioEventloop"):
        reactor.callWhenRunning(_Driver(host, reactor).begin)


class _Driver:
    def __init__(self, host: Host, reactor: Any) -> None:
        self._host = host
        self._reactor = reactor
        self._start: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """The reactor is about to run, its loop is not running yet; what is raised here would vanish."""
        self._host.announce()
        self._reactor.callLater(0, self._begin_on_loop)

    def _begin_on_loop(self) -> None:
        loop = asyncio.get_running_loop()
        self._start = loop.create_task(self._start_or_exit(), name="asyncsched start")
        self._reactor.addSystemEventTrigger("before", "shutdown", self._stop)
        if threading.current_thread() is not threading.main_thread():
            # The autoreloader keeps the main thread and exits without stopping the reactor.
            atexit.register(self._stop_at_exit, loop)

    async def _start_or_exit(self) -> None:
        with Boundary() as boundary:
            await self._host.start()
        if boundary.error:
            explain(boundary.error)
            raise SystemExit(EXIT_CODE)  # asyncio lets it through, out of the reactor and out of daphne

    def _stop(self) -> Any:
        from twisted.internet.defer import Deferred  # noqa: PLC0415 - Twisted is here, or we would not be

        return Deferred.fromFuture(asyncio.ensure_future(self._stop_host()))

    async def _stop_host(self) -> None:
        with next_signal(self._host.hurry):
            if self._start is not None and not self._start.done():
                self._start.cancel()
                await asyncio.wait([self._start])
            await self._host.stop()
            await _end_what_is_left()

    def _stop_at_exit(self, loop: asyncio.AbstractEventLoop) -> None:
        if not loop.is_running():
            return
        stop = asyncio.run_coroutine_threadsafe(self._host.stop(RELOAD_GRACE), loop)
        try:
            stop.result(2 * RELOAD_GRACE + 1)
        except TimeoutError:
            logger.warning("the scheduler did not drain before the reload")


async def _end_what_is_left() -> None:
    """Cancel the coroutines that still run: what Daphne forgot, and leaves pending, can crash the interpreter."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=LAST_PATIENCE)
