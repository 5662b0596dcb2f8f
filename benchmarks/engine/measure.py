"""The measuring itself, the same for all systems."""

import gc
import math
import os
import time
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

Figures = dict[str, float]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of *values*, in rising order, that at least *share* of them do not exceed."""
    return values[max(0, math.ceil(len(values) * share) - 1)]


def lateness(late: Sequence[float]) -> Figures:
    """Return how far from its instant a run starts, late or early; from seconds *late*. Empty if nothing ran."""
    if not late:
        return {}
    rising = sorted(map(abs, late))
    return {
        "p99_ms": percentile(rising, 0.99) * 1e3,
        "p50_ms": percentile(rising, 0.5) * 1e3,
        "max_ms": rising[-1] * 1e3,
    }


def resident_bytes() -> int:
    """Return how much memory this process holds."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Window:
    """Seconds on the clock, and seconds of CPU that this process used, threads included, since it was opened."""

    def __init__(self) -> None:
        self._began, self._cpu = time.monotonic(), time.process_time()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    @property
    def cpu(self) -> float:
        return time.process_time() - self._cpu


class Memory:
    """What was allocated since it was opened: as Python counts it while traced, else as the kernel does."""

    def __init__(self, *, traced: bool) -> None:
        gc.collect()
        if traced:
            tracemalloc.start()
        self._resident = resident_bytes()

    def taken(self) -> int:
        """Return the bytes, without what is garbage."""
        gc.collect()
        return tracemalloc.get_traced_memory()[0] if tracemalloc.is_tracing() else resident_bytes() - self._resident
