"""Keeping one coroutine running: restart it when it ends, ever more slowly if it keeps ending."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from asyncsched.engine.boundary import Boundary
from asyncsched.engine.ports import Clock, Listener
from asyncsched.engine.runner import describe, is_running
from asyncsched.policy import backoff

logger = logging.getLogger("asyncsched.supervisor")

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
FIRST_QUARANTINE = 60.0
LONGEST_QUARANTINE = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Intensity:
    """How many restarts in how many seconds are borne before the coroutine is quarantined.

    After Erlang/OTP's restart intensity; but instead of giving up, a quarantine ends in another
    try, and each further one lasts twice as long, up to an hour.
    """

    restarts: int = 5
    seconds: float = 60.0


class Keeper:
    """Owns the coroutine of one schedule or service, from start to drain."""

    def __init__(
        self,
        name: str,
        coroutine_function: Callable[[], Awaitable[None]],
        *,
        clock: Clock,
        listener: Listener,
        intensity: Intensity,
        is_draining: Callable[[], bool],
    ) -> None:
        self.name = name
        self.resting = False
        """True while it waits for the next start."""
        self.quarantined = False
        """True while it rests because it has ended too often."""
        self._coroutine_function = coroutine_function
        self._clock = clock
        self._listener = listener
        self._intensity = intensity
        self._is_draining = is_draining
        self._ends: deque[float] = deque(maxlen=intensity.restarts + 1)
        self._quarantines = 0
        self._last_end = 0.0
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the coroutine, on the running loop."""
        self.task = asyncio.create_task(self._keep(), name=self.name)
        self.task.add_done_callback(self._ended)

    def cancel(self) -> None:
        """Cancel the coroutine; it is restarted unless the scheduler drains."""
        if self.task is not None:
            self.task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Only the drain ends it; if anything else did, say so and go on: a supervisor must not die silently."""
        if not self._is_draining():  # cancelled: before it had begun, or it would have refused
            error = None if task.cancelled() else task.exception()
            logger.critical("%s: its keeper ended and starts again", self.name, exc_info=error)
            task.get_loop().call_later(FIRST_DELAY, self._start_again)

    def _start_again(self) -> None:
        if not self._is_draining():
            self.start()

    async def _keep(self) -> None:
        while True:
            error = await self._run_once()
            if self._is_draining():
                return
            delay = self._delay()
            self._report(error, delay)
            await self._rest(delay)

    async def _rest(self, delay: float) -> None:
        self.resting = True
        try:
            await asyncio.sleep(delay)
        except asyncio.CancelledError:
            self._refuse_to_be_cancelled()
        self.resting = self.quarantined = False

    async def _run_once(self) -> BaseException | None:
        """Run the coroutine to its end; return what it raised, None if it just returned."""
        with Boundary() as boundary:
            try:
                await self._coroutine_function()
            except asyncio.CancelledError as error:
                self._refuse_to_be_cancelled()
                return error
            except (KeyboardInterrupt, GeneratorExit) as error:
                if not is_running(self.task):
                    raise  # the interpreter closes this coroutine
                return error  # what a service raises must end neither the server nor its keeper
        return boundary.error

    def _refuse_to_be_cancelled(self) -> None:
        """Only the drain may cancel us: a task that cancels its own coroutine, or all it finds, ends no schedule."""
        if self._is_draining():
            raise asyncio.CancelledError
        this = asyncio.current_task()
        while this is not None and this.uncancel():
            continue

    def _delay(self) -> float:
        """Note one more end and return the seconds to wait before the next start."""
        now = self._clock.monotonic()
        if now - self._last_end > 2 * LONGEST_QUARANTINE:
            self._quarantines = 0
        self._last_end = now
        self._ends.append(now)
        recent = sum(1 for end in self._ends if now - end <= self._intensity.seconds)
        self.quarantined = recent > self._intensity.restarts
        if not self.quarantined:
            return backoff(recent, first=FIRST_DELAY, most=LONGEST_DELAY)
        self._quarantines += 1
        self._ends.clear()
        return backoff(self._quarantines, first=FIRST_QUARANTINE, most=LONGEST_QUARANTINE)

    def _report(self, error: BaseException | None, delay: float) -> None:
        level, fate = (logging.CRITICAL, "QUARANTINED") if self.quarantined else (logging.ERROR, "restarted")
        logger.log(
            level,
            "%s: its coroutine ended (%s); %s, starts again in %g s",
            self.name,
            describe(error) if error else "it returned",
            fate,
            delay,
            extra={"action": "quarantined" if self.quarantined else "restarted", "task": self.name},
            exc_info=error,
        )
        self._listener.restarted(self.name, error, delay)


async def still_running(keepers: Iterable[Keeper], patience: float) -> list[Keeper]:
    """Wait up to *patience* seconds for the coroutines of *keepers* to end; return those that have not."""
    going = {keeper.task: keeper for keeper in keepers if keeper.task is not None}
    if not going:
        return []
    _, late = await asyncio.wait(going, timeout=patience)
    return [keeper for task, keeper in going.items() if task in late]
