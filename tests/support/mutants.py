"""``make mutants``: break the schedules and the state machine line by line, and see whether a test notices.

mutmut wants the code beside its tests and imports it by its path, so a flattened copy is made in
``var/mutants`` first. Prints the score, and what survived.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPY = ROOT / "var" / "mutants"
MUTATED = (
    "asyncsched/schedules/every.py",
    "asyncsched/schedules/daily.py",
    "asyncsched/schedules/cron.py",
    "asyncsched/schedules/wall.py",
    "asyncsched/schedules/base.py",
    "asyncsched/engine/machine.py",
    "asyncsched/engine/planner.py",
    "asyncsched/engine/timeline.py",
)
TESTS = (
    "tests/schedules",
    "tests/engine/test_transitions.py",
    "tests/engine/test_terms_of_a_task.py",
    "tests/engine/test_timeline.py",
    "tests/engine/test_machine.py",
    "tests/engine/test_clock_steps.py",
    "tests/engine/test_loop.py",
    "tests/engine/test_hard_cases.py",
)
PYTEST_INI = """\
[pytest]
pythonpath = .
DJANGO_SETTINGS_MODULE = config.settings
addopts = --import-mode=importlib -q -p no:randomly -p no:cacheprovider
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
"""


def main(only: list[str]) -> int:
    """Mutate the files in MUTATED, or those of them whose path contains a word of *only*."""
    chosen = [path for path in MUTATED if not only or any(word in path for word in only)]
    shutil.rmtree(COPY, ignore_errors=True)
    shutil.copytree(ROOT / "backend", COPY, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests", COPY / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    others = [path.name for path in (ROOT / "backend").iterdir() if path.is_dir() and path.name != "asyncsched"]
    (COPY / "pytest.ini").write_text(PYTEST_INI)
    (COPY / "setup.cfg").write_text(
        "\n".join(
            [
                "[mutmut]",
                "source_paths=asyncsched",
                _setting("only_mutate", chosen),
                _setting("also_copy", [*others, "pytest.ini", "tests"]),
                _setting("pytest_add_cli_args_test_selection", TESTS),
                "mutate_only_covered_lines=true",
                "",
            ]
        )
    )
    mutmut = Path(sys.executable).with_name("mutmut")
    subprocess.run([mutmut, "run"], cwd=COPY, check=True)
    return _report(mutmut)


def _setting(name: str, values: "list[str] | tuple[str, ...]") -> str:
    return f"{name}=" + "".join(f"\n    {value}" for value in values)


def _report(mutmut: Path) -> int:
    listing = subprocess.run([mutmut, "results", "--all", "true"], cwd=COPY, check=True, capture_output=True, text=True)
    outcomes = dict(line.strip().split(": ") for line in listing.stdout.splitlines() if ": " in line)
    survivors = [name for name, outcome in outcomes.items() if outcome in ("survived", "no tests", "suspicious")]
    for name in survivors:
        print(subprocess.run([mutmut, "show", name], cwd=COPY, check=True, capture_output=True, text=True).stdout)  # noqa: T201
    killed = len(outcomes) - len(survivors)
    print(f"{killed} of {len(outcomes)} mutants noticed: {killed / len(outcomes):.1%}")  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
