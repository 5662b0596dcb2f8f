"""The system's clock: wall time at the border, monotonic time inside."""

import asyncio
import time
from datetime import UTC, datetime

NOTICEABLE = 0.5  # seconds; NTP slews by less, and a timer's rounding is far below


class SystemClock:
    """Keeps the Clock contract with the operating system's clocks."""

    def __init__(self) -> None:
        self._offset = self._wall_minus_monotonic()

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

    def step(self) -> float:
        # Suspending the machine stops the monotonic clock on Linux, so a resume shows here as well.
        offset = self._wall_minus_monotonic()
        step = offset - self._offset
        if abs(step) < NOTICEABLE:
            return 0.0
        self._offset = offset
        return step

    def _wall_minus_monotonic(self) -> float:
        return time.time() - self.monotonic()
