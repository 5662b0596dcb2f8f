"""How the latest runs of a task are drawn in a cell, as SVG paths of vertical strokes. ``spark.js`` draws the same."""

from collections.abc import Iterator
from dataclasses import dataclass

from asyncsched.storage.sparks import MOST_RUNS, Bar, Spark
from asyncsched.web.words import took

STEP = 2  # across, per run
HEIGHT = 24
HIGHEST, LOWEST = 18, 2  # strokes; above them is room for the mark of a failure


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkLine:
    """The drawing of *spark*: a stroke up from the ground for each run, the newest at the right."""

    spark: Spark

    @property
    def label(self) -> str:
        """Say in words what it shows; empty if it shows nothing."""
        durations = [bar.duration for bar in self.spark.bars]
        if not durations:
            return ""
        least, most = took(min(durations)), took(max(durations))
        length = least if least == most else f"{least} to {most}"
        failed = sum(bar.is_bad for bar in self.spark.bars)
        return f"Latest {len(durations)}: {length}, {failed or 'none'} failed"

    @property
    def good_path(self) -> str:
        """The strokes of runs that did not fail."""
        return "".join(f"M{x} {HEIGHT}V{y}" for x, y, bar in self._strokes() if not bar.is_bad)

    @property
    def bad_path(self) -> str:
        """The strokes of those that failed, each with a dot above it."""
        return "".join(f"M{x} {HEIGHT}V{y}M{x} 2h0" for x, y, bar in self._strokes() if bar.is_bad)

    def _strokes(self) -> Iterator[tuple[int, int, Bar]]:
        bars = self.spark.bars
        longest = max((bar.duration for bar in bars), default=0.0) or 1.0
        first = (MOST_RUNS - len(bars)) * STEP + STEP // 2
        for position, bar in enumerate(bars):
            height = max(LOWEST, int(HIGHEST * bar.duration / longest + 0.5))
            yield first + position * STEP, HEIGHT - height, bar
