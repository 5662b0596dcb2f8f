"""Keeping one coroutine running: restart it when it ends, ever more slowly if it keeps ending."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from asyncsched.engine.boundary import Boundary
from asyncsched.engine.culprits import Culprit, work_for
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

    __slots__ = (
        "_clock",
        "_coroutine_function",
        "_culprit",
        "_ends",
        "_intensity",
        "_is_draining",
        "_last_end",
        "_listener",
        "_quarantines",
        "name",
        "quarantined",
        "resting",
        "task",
    )

    def __init__(
        self,
        name: str,
        coroutine_function: Callable[[], Awaitable[None]],
        *,
        clock: Clock,
        listener: Listener,
        intensity: Intensity,
        is_draining: Callable[[], bool],
        culprit: Callable[[], Culprit] | None = None,
    ) -> None:
        """*culprit* tells on whose behalf the coroutine works."""
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
        self._culprit = culprit
        self._ends: tuple[float, ...] = ()  # the latest, as many as matter
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
        if self._culprit is not None:
            work_for(self._culprit)
        while True:
            error: BaseException | None = None
            with Boundary() as boundary:
                try:
                    await self._coroutine_function()
                except asyncio.CancelledError as cancelled:
                    self._refuse_to_be_cancelled()
                    error = cancelled
                except (KeyboardInterrupt, GeneratorExit) as raised:
                    if not is_running(self.task):
                        raise  # the interpreter closes this coroutine
                    error = raised  # what a service raises must end neither the server nor its keeper
            if self._is_draining():
                return
            await self._rest(boundary.error or error)

    async def _rest(self, error: BaseException | None) -> None:
        delay = self._delay()
        self._report(error, delay)
        self.resting = True
        try:
            await asyncio.sleep(delay)
        except asyncio.CancelledError:
            self._refuse_to_be_cancelled()
        self.resting = self.quarantined = False

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
        self._ends = (*self._ends, now)[-self._intensity.restarts - 1 :]
        recent = sum(1 for end in self._ends if now - end <= self._intensity.seconds)
        self.quarantined = recent > self._intensity.restarts
        if not self.quarantined:
            return backoff(recent, first=FIRST_DELAY, most=LONGEST_DELAY)
        self._quarantines += 1
        self._ends = ()
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
