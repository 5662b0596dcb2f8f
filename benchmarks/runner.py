"""Starts the children, in turn, and collects what they say."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from benchmarks.case import Case
from benchmarks.child import NOT_HERE
from benchmarks.results import Measurement

ROOT = Path(__file__).parent.parent
PATIENCE = 180.0  # seconds a child may take
LAST_PATIENCE = 15.0  # seconds to end what it has started

Progress = Callable[[Case, int], None]


class Failed(Exception):
    """The child gave no figures. Says why, as the child does."""


class Missing(Exception):
    """It cannot be measured here. Says why."""


def groups(cases: Sequence[Case]) -> list[list[Case]]:
    """Return the cases that are measured side by side: neighbours with the same workload and size."""
    return [list(group) for _key, group in groupby(cases, key=lambda case: (case.workload, case.size))]


def measure(area: str, group: Sequence[Case], repeats: int, progress: Progress) -> Iterator[Measurement]:
    """Measure every case *repeats* times, one child after the other, in turn: a slow minute hits them all alike."""
    samples: dict[Case, list[dict[str, float]]] = {case: [] for case in group}
    problems: dict[Case, Failed | Missing] = {}

    def measure_once(case: Case, repeat: int) -> None:
        progress(case, repeat)
        try:
            samples[case].append(sample(case))
        except (Failed, Missing) as problem:
            problems[case] = problem

    at_once = len(group) if all(case.is_light for case in group) else 1
    for repeat in range(repeats):
        with ThreadPoolExecutor(at_once) as children:
            for case in group:
                if case not in problems:
                    children.submit(measure_once, case, repeat)
    today = datetime.now(UTC).date().isoformat()
    for case in group:
        reason = problems.get(case)
        yield Measurement(
            area=area,
            workload=case.workload,
            system=case.system,
            size=case.size,
            measured_on=today,
            samples=() if reason else samples[case],
            problem=str(reason or ""),
            has_failed=isinstance(reason, Failed),
        )


def sample(case: Case, *, patience: float = PATIENCE) -> dict[str, float]:
    """Run the child once and return its figures. Raises Failed or Missing."""
    python = ROOT / case.venv / "bin" / "python"
    if not python.exists():
        raise Missing(f"there is no {case.venv}")
    code, output, errors = _run([str(python), "-m", case.module, *case.arguments], patience)
    if code == NOT_HERE:
        raise Missing(_last_line(errors))
    if code != 0:
        raise Failed(f"exit code {code}: {_last_line(errors)}")
    return _figures(_last_line(output))


def _run(command: Sequence[str], patience: float) -> tuple[int, str, str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "backend")))}
    child = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, errors = child.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        raise Failed(f"no figures after {patience:.0f} s") from None
    finally:
        _end(child)
    return child.returncode, output, errors


def _end(child: subprocess.Popen[str]) -> None:
    """End the child if it still runs: by Ctrl-C, so that it ends its own servers, else by force."""
    if child.poll() is not None:
        return
    child.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        child.communicate(timeout=LAST_PATIENCE)
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


def _figures(line: str) -> dict[str, float]:
    try:
        figures = json.loads(line)
    except json.JSONDecodeError:
        raise Failed(f"its last line is no JSON: {line[:80]!r}") from None
    if not isinstance(figures, dict) or not all(_is_number(value) for value in figures.values()):
        raise Failed(f"its last line is no object of numbers: {line[:80]!r}")
    return figures


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else "it said nothing"
