"""One picture: how many times raw asyncio each scheduler takes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.case import OURS
from benchmarks.engine import BURST, LATENESS, SATURATION
from benchmarks.figures import number
from benchmarks.results import Measurement, Results

OURS_COLOUR, OTHERS_COLOUR, INK = "#2f7d5b", "#9aa5b1", "#20262d"


@dataclass(frozen=True, slots=True)
class Panel:
    """One set of bars: a metric of a workload at a size."""

    heading: str
    workload: str
    size: int
    metric: str
    is_rate: bool = False  # more is better: drawn the other way round, so that short bars are good everywhere


PANELS = (
    Panel("p99 lateness, 10,000 schedules", LATENESS, 10_000, "p99_ms"),
    Panel("10,000 due at once: until the last starts", BURST, 10_000, "last_started_ms"),
    Panel("saturated: time per run", SATURATION, 10_000, "runs_per_s", is_rate=True),
    Panel("CPU per run, 10,000 schedules", LATENESS, 10_000, "cpu_per_run_us"),
)


def draw(results: Results, path: Path) -> Path | None:
    """Draw what of the panels was measured into the SVG file *path* and return it; None if nothing was."""
    panels = [(panel, bars) for panel in PANELS if (bars := ratios(results, panel))]
    if not panels:
        return None
    import matplotlib as mpl  # noqa: PLC0415 - it takes a second to load, and tests of the rest need it not
    import matplotlib.pyplot as plt  # noqa: PLC0415

    mpl.use("svg")
    mpl.rcParams |= {"font.size": 9, "svg.hashsalt": "bench", "text.color": INK, "axes.labelcolor": INK}
    figure, grid = plt.subplots(2, 2, figsize=(11, 6.4), layout="constrained", squeeze=False)
    for axes in grid.flat:
        axes.set_visible(False)
    for axes, (panel, bars) in zip(grid.flat, panels, strict=False):
        axes.set_visible(True)
        _draw_panel(axes, panel, bars)
    figure.suptitle("Times raw asyncio, by medians; shorter is better; logarithmic", fontsize=11)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, facecolor="white", metadata={"Date": None})
    plt.close(figure)
    return path


def ratios(results: Results, panel: Panel) -> dict[str, float]:
    """Return how many times the first system's figure each system has, in the order measured; empty without it."""
    group = next((one for one in results.groups() if _is_for(one[0], panel)), ())
    figures = {one.system: value for one in group if (value := one.median(panel.metric))}
    if not group or group[0].system not in figures:
        return {}
    first = figures[group[0].system]
    return {system: first / value if panel.is_rate else value / first for system, value in figures.items()}


def _is_for(one: Measurement, panel: Panel) -> bool:
    return (one.workload, one.size) == (panel.workload, panel.size)


def _draw_panel(axes: Any, panel: Panel, bars: dict[str, float]) -> None:
    systems, values = list(bars), list(bars.values())
    colours = [OURS_COLOUR if system.startswith(OURS) else OTHERS_COLOUR for system in systems]
    drawn = axes.barh(systems, [value - 1 for value in values], left=1, color=colours)
    axes.bar_label(drawn, labels=[f"{number(value)} ×" for value in values], padding=3, color=INK)
    axes.set_xscale("log")
    axes.set_xlim(min(0.5, *values) / 3, max(2, *values) * 3)
    axes.xaxis.set_major_formatter(lambda value, _position: number(value))
    axes.xaxis.set_minor_formatter(lambda _value, _position: "")
    axes.axvline(1, color=INK, linewidth=0.8)
    axes.invert_yaxis()
    axes.set_title(panel.heading, fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
