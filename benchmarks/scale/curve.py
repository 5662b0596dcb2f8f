"""One picture: how many claimed runs a second there can be, by the distance of the database."""

from collections.abc import Mapping
from pathlib import Path

from benchmarks.plot import INK, OTHERS_COLOUR, OURS_COLOUR
from benchmarks.results import Results
from benchmarks.scale import DISTANCES, LIMITS, MINUTELY, RAMP, RAMPS, away, replicas
from benchmarks.scale.load import MINUTE

WAYS = {  # what the model says, how it is drawn, and what it is called
    "runs_per_s": (OURS_COLOUR, "-", "one leader, as it is"),
    "in_groups_runs_per_s": (OTHERS_COLOUR, "-", "one leader, claims in groups"),
    "sharded_runs_per_s": (OTHERS_COLOUR, "--", "five leaders"),
}
MARKERS = "x+1"  # of what was measured
NEAREST = 0.1  # milliseconds: where a database on the same machine is drawn


def draw(results: Results, path: Path) -> Path | None:
    """Draw the curves into the SVG file *path* and return it; None if nothing was measured."""
    curves = {look: found for metric, look in WAYS.items() if (found := _modelled(results, metric))}
    if not curves:
        return None
    import matplotlib as mpl  # noqa: PLC0415 - it takes a second to load
    import matplotlib.pyplot as plt  # noqa: PLC0415

    mpl.use("svg")
    mpl.rcParams |= {"font.size": 9, "svg.hashsalt": "bench", "text.color": INK, "axes.labelcolor": INK}
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for (colour, line, words), curve in curves.items():
        axes.plot([*curve], [*curve.values()], line, marker=".", color=colour, label=f"{words} (model)")
    for (count, real), marker in zip(_measured(results).items(), MARKERS, strict=False):
        axes.plot([*real], [*real.values()], marker, color=INK, markersize=9, label=f"measured, {replicas(count)}")
    axes.set(xscale="log", yscale="log", xlabel="milliseconds to the database and back", ylabel="claimed runs a second")
    axes.set_xticks([max(NEAREST, one) for one in DISTANCES], ["same machine", *map(str, DISTANCES[1:])])
    axes.set_xticks([], minor=True)
    per_minute = axes.secondary_yaxis("right", functions=(lambda y: y * MINUTE, lambda y: y / MINUTE))
    per_minute.set_ylabel("schedules of every minute, spread over it")
    axes.spines["top"].set_visible(False)
    axes.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, facecolor="white", metadata={"Date": None})
    plt.close(figure)
    return path


def _modelled(results: Results, metric: str) -> Mapping[float, float]:
    found = {distance: results.of(LIMITS, away(distance), MINUTELY) for distance in DISTANCES}
    medians = {distance: one.median(metric) for distance, one in found.items() if one}
    return {max(NEAREST, distance): value for distance, value in medians.items() if value}


def _measured(results: Results) -> Mapping[int, Mapping[float, float]]:
    """Return what was measured with so many replicas, by distance."""
    found: dict[int, dict[float, float]] = {}
    for distance, (size, counts) in RAMPS.items():
        for count in counts:
            one = results.of(RAMP.format(distance), replicas(count), size)
            if one and (value := one.median("runs_per_s")):
                found.setdefault(count, {})[distance] = value
    return found
