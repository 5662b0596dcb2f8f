"""The ten tasks of an idle home: when each is due. All systems take them from here."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One task: due every *period* seconds, counted from *offset* seconds after the Unix epoch."""

    name: str
    period: float
    offset: float = 0.0

    def moments(self) -> Iterator[float]:
        """Yield when it is due from now on, in seconds since the epoch."""
        due = (time.time() - self.offset) // self.period * self.period + self.offset
        while True:
            due += self.period
            yield due


TASKS = (
    Due(name="status", period=2.0),
    Due(name="notifications", period=5.0),
    Due(name="rules", period=5.0),
    Due(name="offline", period=30.0),
    Due(name="synchronise", period=300.0),
    Due(name="detections", period=3600.0),
    *(Due(name=f"daily {hour}", period=DAY, offset=hour * 3600.0) for hour in (3, 4, 5, 6)),
)
