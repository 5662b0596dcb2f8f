"""
Where the leader's limit is, by the model: ``python -m benchmarks.scale.limits MILLISECONDS``.

For a database so many milliseconds further away than one on this machine: how many claimed runs a second there can be,
and how late the last of many starts that are due at one instant, once a minute. Beside it the two ways to more: tasks
shared out among five leaders, and claims made in groups.
"""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from benchmarks.child import report
from benchmarks.engine.measure import Figures
from benchmarks.scale import costs
from benchmarks.scale.load import AT_ONCE, MINUTE, ramp, saturation

if TYPE_CHECKING:
    from benchmarks.scale.model import Setting

SHARDS = 5
WAYS: Mapping[str, Mapping[str, Any]] = {"": {}, "sharded_": {"shards": SHARDS}, "in_groups_": {"in_groups": True}}
FIRST_RAMP, STEEPER, RAMP_SECONDS = 60, 2, 10.0


def measure(milliseconds: float) -> Figures:
    """Return the limits of each way; without a figure for how late the last is, that many are too many."""
    found = costs.measured().costs
    from benchmarks.scale.model import Setting  # noqa: PLC0415 - what it takes from the code needs Django

    figures: Figures = {}
    for way, options in WAYS.items():
        setting = Setting(costs=found, distance=milliseconds / 1e3, **options)
        if setting.shards == 1:  # of each of several it is the same
            figures[f"{way}runs_per_s"] = most_runs(setting)
        for count in AT_ONCE:
            if (last := last_start(setting, count)) is not None:
                figures[f"{way}last_of_{count}_s"] = last
    return figures | _in_short(found)


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


def most_runs(setting: "Setting") -> float:
    """Return how many runs a second start when more are due than can be."""
    from benchmarks.scale.model import simulate  # noqa: PLC0415

    schedules = FIRST_RAMP
    while True:
        starts = simulate(setting, ramp(schedules, RAMP_SECONDS), until=RAMP_SECONDS + MINUTE)
        found = saturation(starts, schedules=schedules, seconds=RAMP_SECONDS)
        mean = schedules / RAMP_SECONDS
        if found.get("late_from_due_per_s", 2 * mean) < 1.5 * mean:
            return found["runs_per_s"]
        schedules *= STEEPER


def last_start(setting: "Setting", schedules: int) -> float | None:
    """Return how late the last of so many starts that are due at once; None if the next minute comes before it."""
    from benchmarks.scale.model import simulate  # noqa: PLC0415

    starts = simulate(setting, [0.0] * schedules, until=MINUTE)
    return max(started for _, started in starts) if len(starts) == schedules else None


if __name__ == "__main__":
    report(lambda: measure(float(sys.argv[1])))
