"""What a process that has nothing to do costs: by the kernel's own accounts, which cost nothing to keep."""

import resource
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

HOUR = 3600.0
MINUTE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The accounts of this process at one moment, read in the thread of the event loop."""

    at: float
    cpu: float
    switches: int  # of all threads, wanted and unwanted
    wakeups: int  # times this thread went to sleep
    reads: int
    writes: int

    @classmethod
    def now(cls, *, reads: int = 0, writes: int = 0) -> "Reading":
        """Read them. *reads* and *writes* are what the database was asked for so far."""
        process = resource.getrusage(resource.RUSAGE_SELF)
        return cls(
            at=time.monotonic(),
            cpu=time.process_time(),
            switches=process.ru_nvcsw + process.ru_nivcsw,
            wakeups=resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw,
            reads=reads,
            writes=writes,
        )


def figures(before: Reading, after: Reading) -> Mapping[str, float]:
    """Return what happened between two readings."""
    lasted = after.at - before.at
    return {
        "cpu_s_per_hour": (after.cpu - before.cpu) / lasted * HOUR,
        "context_switches_per_hour": (after.switches - before.switches) / lasted * HOUR,
        "loop_wakeups_per_minute": (after.wakeups - before.wakeups) / lasted * MINUTE,
        "db_reads_per_minute": (after.reads - before.reads) / lasted * MINUTE,
        "db_writes_per_minute": (after.writes - before.writes) / lasted * MINUTE,
        "threads": threading.active_count(),
    }
