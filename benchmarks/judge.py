"""Whether a target is met."""

from dataclasses import dataclass

from benchmarks.case import Target
from benchmarks.figures import number, unit
from benchmarks.results import Results


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a target asks for beside what was measured; *figure* is None if it was not."""

    target: Target
    figure: float | None

    @property
    def limit(self) -> float:
        target = self.target
        found = next((limit for limit in (target.at_most, target.at_least, target.plus) if limit is not None), None)
        if found is None:
            raise ValueError(f"{target.words!r} sets no limit")
        return found

    @property
    def is_met(self) -> bool | None:
        """None if it was not measured."""
        if self.figure is None:
            return None
        return self.figure >= self.limit if self.target.at_least is not None else self.figure <= self.limit

    @property
    def words(self) -> str:
        """Say it in a few words."""
        if self.figure is None:
            return "not measured"
        if self.is_met:
            return "met"
        return f"missed, at {self.figure / self.limit:.0%} of the limit"

    @property
    def comparison(self) -> str:
        """Say what the figure is: a ratio, a difference, or an amount."""
        target = self.target
        if self.figure is None:
            return "–"
        if target.plus is not None:
            return f"{self.figure:+.3g} {unit(target.metric)} beside {target.than}"
        if target.than is not None:
            return f"{number(self.figure)} × {target.than}"
        return f"{number(self.figure)} {unit(target.metric)}"


def judge(target: Target, results: Results) -> Verdict:
    """Compare the medians."""
    return Verdict(target=target, figure=_figure(target, results))


def _figure(target: Target, results: Results) -> float | None:
    ours = _median(target, target.ours, results)
    if ours is None or target.than is None:
        return ours
    other = _median(target, target.than, results)
    if other is None:
        return None
    if target.plus is not None:
        return ours - other
    return ours / other if other else None


def _median(target: Target, system: str, results: Results) -> float | None:
    found = results.of(target.workload, system, target.size)
    return found.median(target.metric) if found else None
