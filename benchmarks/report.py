"""The tables of benchmarks/README.md."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from benchmarks.figures import number, title
from benchmarks.judge import Verdict
from benchmarks.results import Measurement, Results

BEGIN = "<!-- written by make bench -->"
END = "<!-- end of what make bench wrote -->"


def between_markers(text: str, generated: str) -> str:
    """Return *text* with *generated* in place of what is between the markers; raise ValueError if they are missing."""
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the markers {BEGIN} and {END} are missing")
    return f"{before}{begin}\n\n{generated.strip()}\n\n{end}{after}"


def report(results: Results, verdicts: Sequence[Verdict], picture: str | None) -> str:
    """Return everything as Markdown: machine, targets, picture, and a table for each workload."""
    parts = [_machine(results), targets(verdicts)]
    if picture:
        parts.append(f"![How the schedulers compare to raw asyncio]({picture})")
    for area, of_area in groupby(results.measurements, key=lambda one: one.area):
        parts.append(f"## {area.capitalize()}")
        for workload, group in _by_workload(of_area):
            parts += [f"### {workload[0].upper()}{workload[1:]}", table(group)]
    return "\n\n".join(parts) + "\n"


def targets(verdicts: Sequence[Verdict]) -> str:
    """Return the table of what was aimed at."""
    if not verdicts:
        return "No targets."
    rows = [(verdict.target.words, verdict.comparison, f"**{verdict.words}**") for verdict in verdicts]
    return _table(("target", "measured", "verdict"), rows)


def table(group: Sequence[Measurement]) -> str:
    """Return the figures of one workload, and below them what is missing and why.

    Each cell is the median, with the least and the greatest in brackets. The first system at each size is what the
    others are compared to, by the first metric.
    """
    metrics = tuple(dict.fromkeys(metric for one in group for metric in one.metrics))
    rows = [
        (f"{one.size:,}", one.system, _ratio(one, group, metrics[0]), *(_cell(one, metric) for metric in metrics))
        for one in group
        if one.samples
    ]
    problems = [_problem(one) for one in group if one.problem]
    headings = ("size", "system", "ratio", *(title(metric) for metric in metrics))
    return "\n\n".join(([_table(headings, rows)] if rows else []) + problems)


def _machine(results: Results) -> str:
    lines = [f"- {name}: {value}" for name, value in results.machine.items()]
    days = sorted({one.measured_on for one in results.measurements})
    repeats = min((len(one.samples) for one in results.measurements if one.samples), default=0)
    return "\n".join((*lines, f"- measured on: {', '.join(days)}; repeats: {repeats}"))


def _by_workload(measurements: Iterable[Measurement]) -> list[tuple[str, list[Measurement]]]:
    found: dict[str, list[Measurement]] = {}
    for one in measurements:
        found.setdefault(one.workload, []).append(one)
    return list(found.items())


def _ratio(one: Measurement, group: Sequence[Measurement], metric: str) -> str:
    first = next(other for other in group if other.size == one.size)
    own, reference = one.median(metric), first.median(metric)
    return "–" if own is None or not reference else f"{number(own / reference)} ×"


def _cell(one: Measurement, metric: str) -> str:
    values, median = one.values(metric), one.median(metric)
    if median is None:
        return "–"
    least, greatest = number(values[0]), number(values[-1])
    return number(median) if least == greatest else f"{number(median)} ({least}–{greatest})"


def _problem(one: Measurement) -> str:
    kind = "Failed" if one.has_failed else "Not measured"
    return f"{kind}: {one.system} at {one.size:,}: {one.problem}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
