"""
The notes of a page, what they may refer to, and whether it is there. `look_up` knows these forms:

    tests/engine/test_loop.py::test_once_runs_the_latest        a test of ours
    backend/asyncsched/schedules/every.py:SHORTEST              what a file of ours defines; of others what it says
    celery/beat.py: Scheduler.tick                              what a package defines that is installed for the tests
    no "timeout" in apscheduler/executors                       no word there begins so
    celery requires kombu>=5.7.0                                what its metadata say
    benchmarks / WORKLOAD / SIZE / SYSTEM / METRIC              a figure in benchmarks/results/latest.json

"APScheduler 4, " before the third and the fourth is the alpha, which has an environment of its own.
"""

import ast
import importlib.metadata
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from benchmarks.results import read
from tests.docs.pages import ROOT
from tests.support.programs import missing

ENVIRONMENTS = {"django_cron": ".venv-django-cron"}  # of what does not go with the Django of the others
ALPHA = ".venv-bench-apscheduler4"


NOTE = re.compile(r"\[\^([\w-]+)\]")
CODE = re.compile(r"`([^`]+)`")


def notes(page: Path) -> dict[str, str]:
    """Return the notes of *page* by their names. In a note whatever is code is a reference."""
    found = re.findall(r"^\[\^([\w-]+)\]: (.+)$", page.read_text(), re.MULTILINE)
    assert len(dict(found)) == len(found), f"two notes of {page.name} have the same name"
    return dict(found)


def look_up(reference: str) -> None:
    """Fail unless what *reference* means is there; skip the test where its package is not installed."""
    for form, resolve in _RESOLVED_BY.items():
        if found := re.fullmatch(form, reference):
            resolve(*found.groups())
            return
    pytest.fail("there is no such kind of reference")


def median(reference: str) -> float:
    """Return the figure to which *reference* leads; fail if there is none."""
    _, workload, size, system, metric = reference.split(" / ")
    results = read(ROOT / "benchmarks" / "results" / "latest.json")
    measured = results and results.of(workload, system, int(size.replace(",", "")))
    figure = measured and measured.median(metric)
    assert figure is not None, reference
    return figure


def installed(package: str, venv: str = "") -> importlib.metadata.Distribution:
    """Return *package* as it is installed for the tests, or in *venv*; skip the test where it is not."""
    folders = [str(_folder(venv))] if venv else [*sys.path, *map(str, map(_folder, ENVIRONMENTS.values()))]
    found = next(importlib.metadata.distributions(name=package, path=folders), None)
    return found or pytest.skip(f"{package} is not installed with this Python")


def _test(path: str, name: str) -> None:
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    assert name in {node.name for node in ast.walk(_parsed(ROOT / path)) if isinstance(node, functions)}


def _ours(path: str, inside: str | None) -> None:
    assert (ROOT / path).exists()
    if inside and path.endswith(".py"):
        _defined(ROOT / path, inside)
    elif inside:
        assert inside in (ROOT / path).read_text()


def _theirs(alpha: str | None, path: str, symbol: str) -> None:
    _defined(_place(alpha, path), symbol)


def _absent(alpha: str | None, word: str, path: str) -> None:
    place = _place(alpha, path)
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    assert files
    assert [file.name for file in files if re.search(rf"\b{word}", file.read_text(), re.IGNORECASE)] == []


def _required(package: str, requirement: str) -> None:
    assert requirement in (installed(package).requires or [])


_RESOLVED_BY: dict[str, Callable[..., object]] = {
    r"(tests/[\w/]+\.py)::(test_\w+)": _test,
    r"((?:backend|benchmarks|tests|docs)/[\w/.-]+|pyproject\.toml)(?:: ?(.+))?": _ours,
    r'(APScheduler 4, )?no "(\w+)" in ([\w/.]+)': _absent,
    r"(APScheduler 4, )?([\w/]+\.py): ([\w.]+)": _theirs,
    r"([\w-]+) requires (.+)": _required,
    r"(benchmarks / .+)": median,
}


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _defined(path: Path, symbol: str) -> None:
    """Fail unless *path* defines *symbol*: a function, a class, a variable, or what is inside one."""
    body = _parsed(path).body
    for part in symbol.split("."):
        found = next((node for node in body if part in _names(node)), None)
        assert found is not None, f"{path.name} has no {symbol}"
        body = getattr(found, "body", [])


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _place(alpha: str | None, path: str) -> Path:
    """Return where *path*, which begins with a package, is installed; skip the test where it is not."""
    package = path.partition("/")[0]
    if alpha or package in ENVIRONMENTS:
        return _folder(ALPHA if alpha else ENVIRONMENTS[package]) / path
    found = next((Path(entry) for entry in sys.path if (Path(entry) / package).is_dir()), None)
    return found / path if found else pytest.skip(f"{package} is not installed with this Python")


def _folder(venv: str) -> Path:
    """Return where *venv* has its packages. Without it the test is skipped, and under CI it fails."""
    found = next((ROOT / venv).glob("lib/python*/site-packages"), None)
    return found or missing(f"there is no {venv}: make test makes it")
