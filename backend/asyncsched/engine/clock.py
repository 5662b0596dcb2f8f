"""The system's clock: wall time at the border, monotonic time inside."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from asyncsched.engine.timer import SetAlarm

CHECK = 0.5  # seconds between two looks where the kernel tells nothing, so that a step is noticed within one
MOCKS = frozenset({"freezegun", "time_machine"})  # of the clock they set, the kernel knows nothing
_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)
_since_boot = time.monotonic if _BOOTTIME is None else partial(time.clock_gettime, _BOOTTIME)
NOTICEABLE = 0.5  # seconds at once
EARLIEST = datetime(2025, 4, 2, tzinfo=UTC)  # Django 5.2 came out: with any other we do not run


def seconds_since_boot() -> float:
    """Return seconds that only ever increase, also while the machine is suspended where the system tells them."""
    return _since_boot()


class Alarm(Protocol):
    """Becomes readable when the wall clock may have been set."""

    def fileno(self) -> int:
        """Return what to wait for."""

    def clear(self) -> None:
        """Make ready for the next time."""

    def close(self) -> None:
        """Give it back."""


def kernel_alarm() -> Alarm | None:
    """Return the kernel's, None where it does not tell, or tells of another clock than this process is shown."""
    return None if MOCKS & sys.modules.keys() else SetAlarm.create()


class SystemClock:
    """The operating system's clocks keep the Clock contract. Where no *alarm* tells of steps, it looks for them."""

    earliest = EARLIEST

    def __init__(self, alarm: Callable[[], Alarm | None] = kernel_alarm) -> None:
        self._alarm = alarm
        self._offset: float | None = None  # of the wall clock from the monotonic one, at the last look

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def stepped(self) -> float:
        with _doubts(self._alarm()) as doubt:
            # Suspending the machine stops the monotonic clock on Linux, so a resume shows here as well. What NTP
            # slews does not: both clocks follow it. The first look is at once: for what came since the last call.
            while True:
                before, self._offset = self._offset, time.time() - time.monotonic()
                if before is not None and abs(self._offset - before) >= NOTICEABLE:
                    return self._offset - before
                await doubt()


@contextmanager
def _doubts(alarm: Alarm | None) -> Iterator[Callable[[], Awaitable[None]]]:
    """Yield what to await until the wall clock may have been set: *alarm* tells, or else it is time for a look."""
    if alarm is None:
        yield partial(asyncio.sleep, CHECK)
        return
    loop, told = asyncio.get_running_loop(), asyncio.Event()

    def hear() -> None:
        alarm.clear()
        told.set()

    async def doubt() -> None:
        await told.wait()
        told.clear()

    try:
        loop.add_reader(alarm, hear)
        yield doubt
    finally:
        loop.remove_reader(alarm)
        alarm.close()
