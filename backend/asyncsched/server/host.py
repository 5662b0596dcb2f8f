"""The scheduler of this process: from idle to running and back, whichever server drives it."""

import asyncio
import gc
import logging
from enum import StrEnum

from django.conf import settings
from django.urls import get_resolver

from asyncsched import conf
from asyncsched.engine.boundary import Boundary
from asyncsched.engine.runner import describe
from asyncsched.engine.supervisor import Supervisor
from asyncsched.errors import AsyncschedError
from asyncsched.server.systemd import Systemd

logger = logging.getLogger("asyncsched.server")

HURRIED_GRACE = 1.0  # seconds from the second signal: to end what is cut off, and to write that down


class State(StrEnum):
    """Where the scheduler of this process stands."""

    IDLE = "idle"  # no server has asked for it
    DISABLED = "disabled"  # the settings say no
    STARTING = "starting"
    RUNNING = "running"
    DRAINING = "draining"
    STOPPED = "stopped"
    FAILED = "failed"


class Host:
    """Starts and stops one scheduler. Requests carry it as ``scope["asyncsched"]``."""

    def __init__(self) -> None:
        self.state = State.IDLE
        self.supervisor: Supervisor | None = None
        self._started = asyncio.Event()
        self._start: asyncio.Future[None] | None = None
        self._grace = 0.0
        self._limit = asyncio.Timeout(None)
        self._warned = False
        self._systemd = Systemd()

    def announce(self) -> None:
        """A start is coming: hold requests from now on until it is through."""
        self.state = State.STARTING
        self._started.clear()

    async def start(self) -> None:
        """Start the scheduler on the running loop. Raises what keeps it from starting.

        Whoever asks second waits for the first: should Daphne learn to send lifespan events, its
        reactor and they both ask.
        """
        if self._start is None:
            self.announce()
            self._start = asyncio.ensure_future(self._start_once())
        await self._start

    async def _start_once(self) -> None:
        try:
            found = conf.load()
            self._grace = found.shutdown_grace
            if not found.enabled:
                self.state = State.DISABLED
                logger.info("the scheduler is disabled by the settings")
                self._systemd.ready("up; the scheduler is disabled by the settings")
                return
            await asyncio.to_thread(_import_addresses)
            from asyncsched.server import compose  # noqa: PLC0415 - its models need Django; asgi.py may import us before

            supervisor = compose.supervisor(found)
            await supervisor.start()
            self.supervisor = supervisor
            self.state = State.RUNNING
            # What has been imported and made by now lives as long as the process. The garbage collector would look
            # through all of it again and again, and hold up the event loop for a tenth of a second each time.
            gc.freeze()
            self._systemd.ready(f"up, with {len(supervisor.tasks)} tasks")
        finally:
            if self.state is State.STARTING:
                self.state = State.FAILED
            self._started.set()

    async def wait_while_starting(self) -> None:
        """Return at once, unless a start is under way: then when it is through."""
        if self.state is State.STARTING:
            await self._started.wait()
        elif self.state is State.IDLE and not self._warned:
            self._warned = True
            logger.warning(
                "the scheduler is not running: requests come in, but the server has sent no lifespan event",
                extra={"action": "no_lifespan"},
            )

    async def stop(self, grace: float | None = None) -> None:
        """Drain the scheduler within *grace* seconds, by default SHUTDOWN_GRACE. May be called twice."""
        if self.supervisor is None or self.state is not State.RUNNING:
            return
        self.state, self._start = State.DRAINING, None
        self._systemd.stopping("lets runs finish")
        try:
            async with asyncio.timeout(None) as self._limit:
                await self.supervisor.drain(self._grace if grace is None else min(grace, self._grace))
        except TimeoutError:
            logger.error(  # noqa: TRY400 - there is nothing more to say
                "not everything ended or was written down within %g s of being told to stop again: it is lost",
                HURRIED_GRACE,
                extra={"action": "hurried"},
            )
        self.state = State.STOPPED
        gc.unfreeze()
        self._systemd.stopped()

    def hurry(self) -> None:
        """Cut off at once what a drain is still waiting for, and leave what does not end even so."""
        if self.supervisor is not None and self.state is State.DRAINING:
            logger.warning("told to stop again: not waiting any longer", extra={"action": "hurried"})
            self.supervisor.cut_off()
            self._limit.reschedule(asyncio.get_running_loop().time() + HURRIED_GRACE)


def _import_addresses() -> None:
    """Import the project's addresses, and with them its views: else its first request does, on the event loop."""
    if getattr(settings, "ROOT_URLCONF", None) is None:
        return
    with Boundary() as boundary:
        _ = get_resolver().url_patterns
    if boundary.error:  # each request will fail by it; schedules need no addresses
        logger.error("the URL configuration cannot be imported: %s", describe(boundary.error))


def explain(error: BaseException) -> str:
    """Log why the scheduler did not start or stop, and return it as one line."""
    reason = f"the scheduler failed: {describe(error)}"
    # What we raise on purpose says what to do; only the unforeseen needs a traceback to be understood.
    foreseen = isinstance(error, AsyncschedError)
    logger.critical(reason, exc_info=None if foreseen else error, extra={"action": "server_failed"})
    return reason
