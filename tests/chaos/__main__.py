"""``make chaos``: break it for a while, first on PostgreSQL, then on SQLite, and say what came of it."""

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos import report
from tests.chaos.checker import check
from tests.chaos.harness import Chaos, Scenario
from tests.chaos.project import jobs
from tests.chaos.records import Limits, Violation

TOLERANCE = 2.0  # seconds: five servers share the machine with whatever else it does


def main() -> int:
    """Return 0 if nothing was violated."""
    options = _options()
    failed = []
    for name in options.databases:
        scenario = Scenario(
            database=name,
            seed=options.seed,
            seconds=options.seconds,
            replicas=options.replicas,
            jobs=options.tasks,
            lease=options.lease,
        )
        failed += [name] if _run(scenario) else []
    return 1 if failed else 0


def _run(scenario: Scenario) -> bool:
    """Run *scenario* and print the report; return True if something was violated."""
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    folder.chmod(0o755)
    limits = Limits(lease=scenario.lease, tolerance=TOLERANCE)
    _say(f"Breaking replicas on {scenario.database} for {scenario.seconds:g} s, by the seed {scenario.seed} ...\n")
    chaos = Chaos(scenario, limits, folder)
    evidence = chaos.run()
    violations = check(evidence, limits) + [Violation(rule="log", text=line) for line in chaos.leaks]
    for line in report.lines(scenario, evidence, limits, violations):
        _say(line)
    if violations:
        (folder / "violations").write_text("\n".join(map(str, violations)))
        events = sorted([*evidence.starts, *evidence.deeds, *evidence.leads], key=lambda event: event.at)
        (folder / "events").write_text("\n".join(map(str, events)))
        _say(f"\nLedgers, logs, all events and all violations: {folder}")
        _say(
            f"Again: make chaos SEED={scenario.seed} SECONDS={scenario.seconds:g} REPLICAS={scenario.replicas} "
            f"LEASE={scenario.lease:g} TASKS={scenario.jobs} DATABASES={scenario.database}"
        )
    else:
        shutil.rmtree(folder)
    _say("")
    return bool(violations)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=None, help="by default another one each time")
    parser.add_argument("--replicas", type=int, default=5)
    parser.add_argument("--tasks", type=int, default=jobs.MOST)
    parser.add_argument("--lease", type=float, default=10.0)
    parser.add_argument("--databases", nargs="+", choices=("postgres", "sqlite"), default=["postgres", "sqlite"])
    options = parser.parse_args()
    options.seed = random.randrange(1_000_000) if options.seed is None else options.seed
    return options


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
