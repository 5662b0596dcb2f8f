"""
The same by the model, fed with what is measured just before:
``python -m benchmarks.scale.predicted ramp MILLISECONDS REPLICAS SCHEDULES SECONDS``, or ``… even …``.
"""

import sys
from random import Random
from statistics import median

from asyncsched.conf import Settings
from benchmarks.child import report
from benchmarks.engine.measure import Figures
from benchmarks.scale import costs
from benchmarks.scale.election import vacancy
from benchmarks.scale.load import SHAPES, after_death, saturation
from benchmarks.scale.measured import DIES_AT, PATIENCE

DEATHS = 25  # of which the one in the middle counts


def measure(shape: str, milliseconds: float, replicas: int, schedules: int, seconds: float) -> Figures:
    """Return what the model makes of the load on so many replicas, so many milliseconds from the database."""
    found = costs.measured(milliseconds / 1e3)
    (distance,) = found.distances
    from benchmarks.scale.model import Setting, simulate  # noqa: PLC0415 - what it takes from the code needs Django

    moments = SHAPES[shape](schedules, seconds)
    until = seconds + PATIENCE
    if shape == "ramp":
        setting = Setting(costs=found.costs, distance=distance)
        starts = simulate(setting, moments, until=until)
        return saturation(starts, schedules=schedules, seconds=seconds)
    trip = distance + found.costs.wait_per_trip
    killed, told = (_vacancy(standbys=replicas - 1, trip=trip, resigns=resigns) for resigns in (False, True))
    setting = Setting(costs=found.costs, distance=distance, vacancy=(DIES_AT, DIES_AT + killed))
    starts = simulate(setting, moments, until=until)
    return after_death(starts, died=DIES_AT) | {"vacancy_sigkill_s": killed, "vacancy_sigterm_s": told}


def _vacancy(*, standbys: int, trip: float, resigns: bool) -> float:
    """Return for how many seconds nobody leads, with the lease time as it comes: the median of DEATHS."""
    dice = Random(DEATHS)
    seconds = Settings().lease_seconds
    return median(
        vacancy(standbys=standbys, seconds=seconds, latency=trip, resigns=resigns, dice=dice) for _ in range(DEATHS)
    )


if __name__ == "__main__":
    shape, *figures = sys.argv[1:]
    report(lambda: measure(shape, float(figures[0]), int(figures[1]), int(figures[2]), float(figures[3])))
