"""What was measured: every sample, kept as JSON."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks.case import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """All repeats of one case. Without *samples*, *problem* says why."""

    area: str
    workload: str
    system: str
    size: int
    measured_on: str  # date, in UTC
    samples: Sequence[dict[str, float]] = ()
    problem: str = ""
    has_failed: bool = False  # False with a problem: it cannot be measured on this machine

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of what some sample has, as ordered by the child: the first is what the case is about."""
        return tuple(dict.fromkeys(name for sample in self.samples for name in sample))

    def values(self, metric: str) -> list[float]:
        """Return what was measured, in rising order; empty unless every sample has it."""
        values = sorted(sample[metric] for sample in self.samples if metric in sample)
        return values if len(values) == len(self.samples) else []

    def median(self, metric: str) -> float | None:
        """Return the median of *metric*, None if it is missing from a sample."""
        values = self.values(metric)
        return median(values) if values else None

    def is_of(self, case: Case) -> bool:
        """Return whether *case* is what was measured."""
        return (self.workload, self.system, self.size) == (case.workload, case.system, case.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Measurements that were taken on one machine."""

    machine: dict[str, str]
    measurements: Sequence[Measurement]

    def of(self, workload: str, system: str, size: int) -> Measurement | None:
        """Return the measurement of *system* at *size*, None if there is none."""
        wanted = (workload, system, size)
        return next((one for one in self.measurements if (one.workload, one.system, one.size) == wanted), None)

    def groups(self) -> list[tuple[Measurement, ...]]:
        """Return what was measured side by side: one workload at one size each, in order."""
        keys = dict.fromkeys((one.workload, one.size) for one in self.measurements)
        return [tuple(one for one in self.measurements if (one.workload, one.size) == key) for key in keys]

    def with_new(self, new: Iterable[Measurement]) -> "Results":
        """Return these with *new* in place of all that was measured under the same workloads at the same sizes."""
        new = tuple(new)
        replaced = {(one.workload, one.size) for one in new}
        kept = [one for one in self.measurements if (one.workload, one.size) not in replaced]
        return Results(machine=self.machine, measurements=(*kept, *new))

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> Results | None:
    """Return what is in the file, None if there is no file."""
    if not path.exists():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    return Results(machine=found["machine"], measurements=[Measurement(**one) for one in found["measurements"]])
