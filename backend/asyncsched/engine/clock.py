"""The system's clock: wall time at the border, monotonic time inside."""

import asyncio
import time
from datetime import UTC, datetime
from functools import partial

CHECK = 0.5  # seconds between two looks, so that a step is noticed within one
_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)
_since_boot = time.monotonic if _BOOTTIME is None else partial(time.clock_gettime, _BOOTTIME)
NOTICEABLE = 0.5  # seconds within one CHECK; NTP slews by a thousandth of it
EARLIEST = datetime(2025, 4, 2, tzinfo=UTC)  # Django 5.2 came out: with any other we do not run


def seconds_since_boot() -> float:
    """Return seconds that only ever increase, also while the machine is suspended where the system tells them."""
    return _since_boot()


class SystemClock:
    """Keeps the Clock contract with the operating system's clocks."""

    earliest = EARLIEST

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep_until(self, moment: datetime | None, wake: asyncio.Event) -> None:
        if moment is None:
            await wake.wait()
        else:
            delay = (moment - self.now()).total_seconds()
            timer = asyncio.get_running_loop().call_later(max(0.0, delay), wake.set)
            try:
                await wake.wait()
            finally:
                timer.cancel()
        wake.clear()

    async def stepped(self) -> float:
        offset = time.time() - time.monotonic()
        while True:
            await asyncio.sleep(CHECK)
            # Suspending the machine stops the monotonic clock on Linux, so a resume shows here as well.
            before, offset = offset, time.time() - time.monotonic()
            if abs(offset - before) >= NOTICEABLE:
                return offset - before
