"""`python -m benchmarks [--quick] [--only AREA_OR_WORKLOAD] [--repeats N]`: `make bench` does no more than this."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine, pages, results, runner
from benchmarks.case import Case, Target
from benchmarks.figures import number, title
from benchmarks.judge import Verdict, judge
from benchmarks.plot import draw
from benchmarks.report import between_markers, report
from benchmarks.results import Measurement, Results
from benchmarks.scale import curve

AREAS = ("engine", "recorded", "idle", "push", "web", "cleanup", "handoff", "scale")
README = Path(__file__).with_name("README.md")
KEPT = Path(__file__).with_name("results")
THROWN_AWAY = runner.ROOT / "var" / "bench"


def main(arguments: Sequence[str]) -> int:
    """Measure, write and print; return 1 if a child failed."""
    options = _parsed(arguments)
    repeats = options.repeats or (2 if options.quick else 5)
    is_kept = repeats >= 5 and not options.quick
    chosen = _chosen(options.only, quick=options.quick)
    if not chosen:
        _say(f"{options.only!r} is no area and part of no workload's name")
        return 2
    taken = _measured(chosen, repeats)
    before = results.read(KEPT / "latest.json") if is_kept and options.only else None
    found = Results(machine=machine.describe(), measurements=before.measurements if before else ()).with_new(taken)
    _write(found, KEPT if is_kept else THROWN_AWAY, is_kept=is_kept)
    return int(any(one.has_failed for one in taken))


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Measures this scheduler beside its peers.")
    parser.add_argument("--quick", action="store_true", help="little, and twice: to see that it works")
    parser.add_argument("--only", default="", metavar="AREA_OR_WORKLOAD", help=f"{', '.join(AREAS)}, or a workload")
    parser.add_argument("--repeats", type=int, help="of every case; fewer than 5 are not kept")
    return parser.parse_args(arguments)


def _chosen(only: str, *, quick: bool) -> dict[str, list[Case]]:
    found = {area: importlib.import_module(f"benchmarks.{area}").cases(quick=quick) for area in AREAS}
    if only in found:
        return {only: found[only]}
    wanted = {area: [case for case in cases if only in case.workload] for area, cases in found.items()}
    return {area: cases for area, cases in wanted.items() if cases}


def _targets() -> list[Target]:
    return [target for area in AREAS for target in importlib.import_module(f"benchmarks.{area}").TARGETS]


def _measured(chosen: dict[str, list[Case]], repeats: int) -> list[Measurement]:
    total = repeats * sum(map(len, chosen.values()))
    taken: list[Measurement] = []
    begun = 0

    def progress(case: Case, repeat: int) -> None:
        nonlocal begun
        begun += 1
        if sys.stdout.isatty():
            _say(f"\r\033[K{begun}/{total}  {case.workload}, {case.size:,}: {case.system}", end="")

    for area, cases in chosen.items():
        for group in runner.groups(cases):
            done = list(runner.measure(area, group, repeats, progress))
            taken += done
            _say("\r\033[K" if sys.stdout.isatty() else "", end="")
            _say(f"{area}: {group[0].workload}, {group[0].size:,}")
            for one in done:
                _say(f"  {one.system:40} {_in_short(one)}")
    return taken


def _in_short(one: Measurement) -> str:
    if one.problem:
        return f"{'FAILED' if one.has_failed else 'not measured'}: {one.problem}"
    medians = [(metric, one.median(metric)) for metric in one.metrics[:4]]
    return ", ".join(f"{title(metric)} {number(value)}" for metric, value in medians if value is not None)


def _write(found: Results, folder: Path, *, is_kept: bool) -> None:
    verdicts = [judge(target, found) for target in _targets()]
    found.write(folder / "latest.json")
    picture = draw(found, folder / "engine.svg")
    curve.draw(found, folder / "scale.svg")
    if is_kept:
        text = report(found, verdicts, f"results/{picture.name}" if picture else None)
        README.write_text(between_markers(README.read_text(encoding="utf-8"), text), encoding="utf-8")
        pages.fill(found)
    for verdict in verdicts:
        if verdict.figure is not None:
            _say(_spoken(verdict))
    _say(f"\nwritten: {folder.relative_to(runner.ROOT)}" + ("" if is_kept else " (a quick look, not to be cited)"))


def _spoken(verdict: Verdict) -> str:
    return f"{verdict.words:18} {verdict.target.words}: {verdict.comparison}"


def _say(line: str, end: str = "\n") -> None:
    sys.stdout.write(line + end)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
