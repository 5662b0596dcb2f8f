"""
Where the leader's limit is, by the model: ``python -m benchmarks.scale.limits MILLISECONDS``.

For a database so many milliseconds further away than one on this machine: how late the last of many starts that are due
at one instant, once a minute, and how many a second that is. Beside it the two ways to more: tasks shared out among
five leaders, and claims made in groups.
"""

import math
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from benchmarks.child import report
from benchmarks.engine.measure import Figures
from benchmarks.scale import costs
from benchmarks.scale.load import AT_ONCE, MINUTE

if TYPE_CHECKING:
    from benchmarks.scale.model import Setting

SHARDS = 5
WAYS: Mapping[str, Mapping[str, Any]] = {"": {}, "sharded_": {"shards": SHARDS}, "in_groups_": {"in_groups": True}}


def measure(milliseconds: float) -> Figures:
    """Return the limits of each way; without a figure for how late the last is, that many are too many."""
    found = costs.measured().costs
    from benchmarks.scale.model import Setting  # noqa: PLC0415 - what it takes from the code needs Django

    figures: Figures = {}
    for way, options in WAYS.items():
        setting = Setting(costs=found, distance=milliseconds / 1e3, **options)
        lasts = {count: last_start(setting, count) for count in AT_ONCE}
        figures[f"{way}runs_per_s"] = max(AT_ONCE) / lasts[max(AT_ONCE)]
        figures |= {f"{way}last_of_{count}_s": last for count, last in lasts.items() if last <= MINUTE}
    return figures | _in_short(found)


def last_start(setting: "Setting", schedules: int) -> float:
    """Return how late the last of so many starts that are due at once, if they are due only once."""
    from benchmarks.scale.model import simulate  # noqa: PLC0415 - what it takes from the code needs Django

    return max(started for _, started in simulate(setting, [0.0] * schedules, until=math.inf))


def _in_short(found: costs.Costs) -> Figures:
    """Return what the model was fed with."""
    return {
        "trips_per_claim": found.claim.trips,
        "trips_per_end": found.end.trips,
        "claim_cpu_ms": found.claim.cpu * 1e3,
        "end_cpu_ms": found.end.cpu * 1e3,
        "loop_cpu_ms": found.cpu_per_run * 1e3,
        "wait_per_trip_ms": found.wait_per_trip * 1e3,
    }


if __name__ == "__main__":
    report(lambda: measure(float(sys.argv[1])))
