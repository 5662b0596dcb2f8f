"""What every system is asked to do: so many schedules, each so often, on a grid aligned to the Unix epoch."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any

EARLY = 0.02  # seconds: a start so little before its instant is early, not a period late

Job = Callable[[], Coroutine[Any, Any, None]]


class Plan:
    """*count* schedules every *period* seconds, each running a job of its own that notes how late it started.

    The jobs exist before a system starts: they are the user's, and no part of what a schedule takes.
    """

    def __init__(self, offsets: Sequence[float], period: float, *, seconds: float = 0.0) -> None:
        """*offsets*: seconds after the grid's instants, one for each schedule. *seconds*: how long a job sleeps."""
        self.count = len(offsets)
        self.period = period
        self.late: list[float] = []  # seconds after its instant at which each run started
        self._seconds = seconds
        self.schedules = [(offset, self._job(offset)) for offset in offsets]

    def _job(self, offset: float) -> Job:
        """Return the job of a schedule at *offset*. What it does before it has noted the time is next to nothing."""
        note, now, period, seconds, shift = self.late.append, time.time, self.period, self._seconds, EARLY - offset

        async def job() -> None:
            note((now() + shift) % period - EARLY)

        async def sleeping() -> None:
            note((now() + shift) % period - EARLY)
            await asyncio.sleep(seconds)

        return sleeping if seconds else job

    def sync_job(self, offset: float) -> Callable[[], None]:
        """Return the same for a thread."""
        note, now, period, seconds, shift = self.late.append, time.time, self.period, self._seconds, EARLY - offset

        def job() -> None:
            note((now() + shift) % period - EARLY)
            if seconds:
                time.sleep(seconds)

        return job

    def next_after(self, moment: float, offset: float) -> float:
        """Return the first instant of the schedule at *offset* after *moment*, both in seconds since the epoch."""
        instant = moment - (moment - offset) % self.period + self.period
        return instant if instant > moment else instant + self.period  # floating point: it can be *moment* itself

    def origin(self, offset: float) -> datetime:
        """Return a past instant of the schedule at *offset*, for systems that count from one."""
        return datetime.fromtimestamp(self.next_after(time.time() - 2 * self.period, offset), UTC)


class System(ABC):
    """One scheduler, set up as its documentation says, without what a user would not have."""

    spreads = True
    """False if its schedules are all due at the same instants, whatever is asked for."""

    def prepared(self) -> AbstractContextManager[None]:
        """Around everything: what is there before a scheduler starts, such as a migrated database."""
        return nullcontext()

    async def aligned(self, plan: Plan) -> None:  # noqa: B027 - most need not
        """Before the start: wait for a moment from which on it keeps to the grid."""

    @abstractmethod
    async def start(self, plan: Plan) -> None:
        """Register the schedules and start. What is measured as start-up time and memory is all that happens here."""

    @abstractmethod
    async def stop(self) -> None:
        """Stop as a server does on SIGTERM, letting runs end. Nothing runs afterwards."""


def spread(count: int, period: float) -> tuple[float, ...]:
    """Return *count* offsets, evenly over *period*, in whole microseconds."""
    return tuple(round(number * period / count, 6) for number in range(count))
