"""The limits as a table for users: how many schedules of every minute, how far from the database, and how late."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.case import OURS
from benchmarks.engine import SATURATION
from benchmarks.figures import number
from benchmarks.results import Measurement, Results
from benchmarks.scale import DISTANCES, LIMITS, MINUTELY, away
from benchmarks.scale.load import AT_ONCE, MINUTE

FINE = 1.0  # seconds: who is no later than that is called punctual
FREE = f"{OURS}, SQLite", 10_000
NEAR = "the same machine"


@dataclass(frozen=True, slots=True)
class Limits:
    """A row for each number of schedules that are due at once, a column for each distance."""

    def lines(self, results: Results) -> Iterator[str]:
        """Yield the table as Markdown, line by line: the medians."""
        found = [results.of(LIMITS, away(distance), MINUTELY) for distance in DISTANCES]
        yield _line("", *(f"{distance} ms" if distance else NEAR for distance in DISTANCES))
        yield _line(*["---"] * (1 + len(DISTANCES)))
        for count in AT_ONCE:
            yield _line(f"{count:,} of every minute, all due at :00", *(_last(one, count) for one in found))
        yield _line("of every minute, spread over it, at most", *(_most(one, MINUTE) for one in found))
        yield _line("of every hour, spread over it, at most", *(_most(one, 60 * MINUTE) for one in found))
        free = results.of(SATURATION, *FREE)
        yield _line("below a minute, runs a second, at most", *[_rounded(free, "runs_per_s")] * len(DISTANCES))


def _last(one: Measurement | None, count: int) -> str:
    if one is None:
        return "–"
    last = one.median(f"last_of_{count}_s")
    if last is None:
        return "**too many**"
    return "fine" if last <= FINE else f"the last {number(last)} s late"


def _most(one: Measurement | None, period: float) -> str:
    return _rounded(one, "runs_per_s", times=period)


def _rounded(one: Measurement | None, metric: str, *, times: float = 1) -> str:
    """Return the figure to two digits: it is a limit, and not a promise."""
    value = one.median(metric) if one else None
    return "–" if value is None else f"{float(f'{value * times:.2g}'):,.0f}"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
