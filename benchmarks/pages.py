"""
Fills the tables of the documentation from what was measured: ``python -m benchmarks.pages``.

A table stands between ``<!-- bench:NAME -->`` and ``<!-- /bench -->``, NAME being one of TABLES.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import handoff, scale, web
from benchmarks.figures import number, title
from benchmarks.results import Measurement, Results, read
from benchmarks.scale.words import Limits

FOLDER = Path(__file__).parent
_DOCS = FOLDER.parent / "docs"
PAGES = (
    FOLDER.parent / "README.md",
    _DOCS / "adr" / "0013-one-leader-is-enough.md",
    _DOCS / "howto" / "hand-off.md",
    _DOCS / "explanation" / "limits.md",
    _DOCS / "explanation" / "performance.md",
)
_MARKED = re.compile(r"(<!-- bench:(?P<name>[a-z-]+) -->\n).*?(<!-- /bench -->)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Some figures of some workloads: a row for each system at each size, the medians."""

    workloads: Mapping[str, str]
    """What was measured, and what the first column calls it."""
    metrics: tuple[str, ...]
    heading: str = ""
    """Of the first column; without one there is none."""
    sized: str = ""
    """What the size counts; without a word for it there is no column."""

    def lines(self, results: Results) -> Iterator[str]:
        """Yield the table as Markdown, line by line; systems that have none of the figures are left out."""
        headings = [*filter(None, (self.heading, self.sized)), "system", *map(title, self.metrics)]
        yield _line(headings)
        yield _line(["---"] * len(headings))
        for one in results.measurements:
            if one.workload in self.workloads and set(self.metrics) & set(one.metrics):
                yield _line(self._cells(one))

    def _cells(self, one: Measurement) -> list[str]:
        label = [self.workloads[one.workload]] if self.heading else []
        size = [f"{one.size:,}"] if self.sized else []
        return [*label, *size, one.system, *(_cell(one.median(metric)) for metric in self.metrics)]


_BESIDE = {web.BESIDE.format(server): server.capitalize() for server in ("daphne", "uvicorn")}
_STARTS = ("p50_ms", "p99_ms", "max_ms")
TABLES: Mapping[str, Table | Limits] = {
    "starts": Table(
        workloads=_BESIDE,
        heading="server",
        sized="tasks",
        metrics=(*(f"start_{part}" for part in _STARTS), *(f"saturated_start_{part}" for part in _STARTS)),
    ),
    "beside": Table(
        workloads={web.BESIDE.format("daphne"): ""},
        sized="tasks",
        metrics=(*(f"start_{part}" for part in _STARTS), "http_p50_ms", "http_p99_ms"),
    ),
    "answers": Table(
        workloads=_BESIDE,
        heading="server",
        sized="tasks",
        metrics=("http_p50_ms", "http_p99_ms", "load_percent", "saturated_requests_per_s", "saturated_http_p99_ms"),
    ),
    "footprint": Table(
        workloads={web.FOOTPRINT.format("daphne"): ""}, metrics=("rss_mb", "threads", "import_cpu_ms", "ready_ms")
    ),
    "importing": Table(workloads={web.IMPORTING: ""}, metrics=("import_cpu_ms",)),
    "take-over": Table(
        workloads={web.TAKE_OVER: ""},
        metrics=("sigterm_until_first_run_s", "sigterm_gap_s", "sigkill_until_first_run_s", "sigkill_gap_s"),
    ),
    "handoff": Table(
        workloads={handoff.BESIDE: ""},
        metrics=("start_p99_ms", "http_p50_ms", "http_p99_ms", "run_s", "memory_beside_mb"),
    ),
    "limits": Limits(),
    "limits-ways": Table(
        workloads={scale.LIMITS: ""},
        metrics=(
            *(f"{way}runs_per_s" for way in ("", "sharded_", "in_groups_")),
            *(f"{way}last_of_{count}_s" for count in (100, 1_000) for way in ("", "sharded_", "in_groups_")),
        ),
    ),
    "limits-checked": Table(
        workloads={scale.RAMP.format(distance): f"{distance} ms" for distance in scale.RAMPS},
        heading="away",
        metrics=("runs_per_s", "late_from_due_per_s", "p99_ms", "trips_per_standby_per_s"),
    ),
    "limits-death": Table(
        workloads={scale.DEATH.format(scale.DISTANCE): ""},
        metrics=("until_first_run_s", "until_caught_up_s", "vacancy_sigkill_s", "vacancy_sigterm_s"),
    ),
    "clock-jump": Table(
        workloads={web.JUMP.format(schedule): schedule for schedule in web.JUMPS},
        heading="schedule",
        sized="tasks",
        metrics=("cpu_per_task_us", "loop_stall_ms"),
    ),
}


def filled(text: str, results: Results) -> str:
    """Return *text* with every table of it as it is now. Raises KeyError if there is no table of some name."""

    def table(marked: re.Match[str]) -> str:
        lines = "\n".join(TABLES[marked["name"]].lines(results))
        return f"{marked[1]}\n{lines}\n\n{marked[3]}"

    return _MARKED.sub(table, text)


def fill(results: Results) -> None:
    """Fill the tables of the pages."""
    for page in PAGES:
        page.write_text(filled(page.read_text(encoding="utf-8"), results), encoding="utf-8")


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: float | None) -> str:
    return "–" if value is None else number(value)


if __name__ == "__main__":
    kept = read(FOLDER / "results" / "latest.json")
    if kept is None:
        raise SystemExit("nothing was measured yet: make bench")
    fill(kept)
