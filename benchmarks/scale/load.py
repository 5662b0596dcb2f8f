"""
What the leader is given to do, and what its starts say about it. The same for real runs and for the model's.

Moments are seconds from the beginning of a load. A start is a pair of moments: when a run was due, and when it started.
"""

import math
from collections.abc import Iterable, Sequence

from benchmarks.engine.measure import Figures, percentile

LATE = 0.5  # seconds: who is later than that waits for others, and not for a timer
MINUTE = 60.0  # seconds
AT_ONCE = (10, 100, 1_000)  # schedules of every minute that are due together

Start = tuple[float, float]


def ramp(schedules: int, seconds: float) -> list[float]:
    """Return when each of so many schedules is due: more and more a second, from none to twice the mean."""
    return [seconds * math.sqrt((number + 0.5) / schedules) for number in range(schedules)]


def even(schedules: int, seconds: float) -> list[float]:
    """Return when each of so many schedules is due if they share out the time."""
    return [number * seconds / schedules for number in range(schedules)]


SHAPES = {"ramp": ramp, "even": even}


def saturation(starts: Iterable[Start], *, schedules: int, seconds: float) -> Figures:
    """Return how many runs a second start once a *ramp* has become too much, and at how many due a second it has."""
    in_order = sorted(starts)
    late = [(due, started) for due, started in in_order if started - due > LATE]
    rising = sorted(started - due for due, started in in_order)
    figures: Figures = {}
    if len(late) > 1:
        first, last = late[0], max(late, key=lambda one: one[1])
        figures["runs_per_s"] = (len(late) - 1) / (last[1] - first[1])
        figures["late_from_due_per_s"] = 2 * schedules * first[0] / seconds**2
    return figures | {
        "p50_ms": percentile(rising, 0.5) * 1e3,
        "p99_ms": percentile(rising, 0.99) * 1e3,
        "missing": schedules - len(in_order),
    }


def after_death(starts: Sequence[Start], *, died: float) -> Figures:
    """Return how long nothing ran after the leader *died*, and how long it took until nothing was late any more."""
    after = sorted(started for _, started in starts if started > died)
    late = [started for due, started in starts if started > died and started - due > LATE]
    return {"until_first_run_s": after[0] - died, "until_caught_up_s": max(late, default=after[0]) - died}
