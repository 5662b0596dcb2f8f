"""Nobody has to believe the comparison: each cell has a note, and what a note refers to exists.

In a note whatever is code is a reference: see RESOLVED_BY.
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
from tests.docs.pages import DOCS, ROOT, Table, tables

PAGE = DOCS / "explanation" / "comparison.md"
OTHERS = "## Others, from reading their source"  # from here on cells need no notes
NOTE = re.compile(r"\[\^([\w-]+)\]")
FIGURE = re.compile(r"[\d,]+(?:\.\d+)?")
ENVIRONMENTS = {"django_cron": ".venv-django-cron"}  # of packages that do not go with the Django of the others
ALPHA = ".venv-bench-apscheduler4"
RESULTS = read(ROOT / "benchmarks" / "results" / "latest.json")


def compared() -> list[Table]:
    """Return the tables whose cells need notes: those that have the systems as rows."""
    text = PAGE.read_text().partition(OTHERS)[0]
    count = len(re.findall(r"^\| ---", text, re.MULTILINE))
    return [table for table in tables(PAGE)[:count] if table.header[0] == "System"]


def notes() -> dict[str, str]:
    """Return the notes by their names."""
    found = re.findall(r"^\[\^([\w-]+)\]: (.+)$", PAGE.read_text(), re.MULTILINE)
    assert len(dict(found)) == len(found), "two notes have the same name"
    return dict(found)


def references() -> list[str]:
    """Return everything that notes refer to."""
    return sorted({reference for note in notes().values() for reference in re.findall(r"`([^`]+)`", note)})


def cells() -> list[tuple[str, str, str]]:
    """Return each cell as system, criterion and text."""
    return [
        (row[0], criterion, text)
        for table in compared()
        for row in table.rows
        for criterion, text in zip(table.header[1:], row[1:], strict=True)
    ]


def test_each_table_has_the_same_systems():
    first, *others = [[row[0] for row in table.rows] for table in compared()]
    assert len(first) > 5
    assert all(systems == first for systems in others)


def test_each_cell_has_a_note():
    assert [(system, criterion) for system, criterion, text in cells() if not NOTE.search(text)] == []


def test_each_note_is_there_and_used():
    before, _, _ = PAGE.read_text().partition("\n[^")
    assert set(NOTE.findall(before)) == set(notes())


def test_each_note_refers_to_something():
    assert [name for name, text in notes().items() if "`" not in text] == []


def test_a_figure_is_the_one_that_was_measured():
    """To within a third: who measures anew need not rewrite the page, unless something has changed."""
    known = notes()
    for system, criterion, text in cells():
        measured = [reference for name in NOTE.findall(text) for reference in _measured(known[name])]
        if measured:
            shown = float(FIGURE.search(NOTE.sub("", text))[0].replace(",", ""))
            assert shown == pytest.approx(_median(measured[0]), rel=1 / 3), (system, criterion, measured[0])


@pytest.mark.parametrize("reference", references())
def test_what_a_note_refers_to_exists(reference):
    for form, resolve in RESOLVED_BY.items():
        if found := re.fullmatch(form, reference):
            resolve(*found.groups())
            return
    pytest.fail("no such kind of reference")


def test_the_versions_are_those_that_were_tried():
    (versions,) = [table for table in tables(PAGE) if table.header[0] == "Package"]
    for package, version in ((row[0], row[1]) for row in versions.rows):
        found = _installed_version(package, version)
        assert found in (version, None), package


def _a_test(path: str, name: str) -> None:
    functions = {
        node.name for node in ast.walk(_parsed(ROOT / path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert name in functions


def _of_ours(path: str, inside: str | None) -> None:
    assert (ROOT / path).exists()
    if inside:
        _defined(ROOT / path, inside) if path.endswith(".py") else _said(ROOT / path, inside)


def _of_a_peer(path: str, symbol: str) -> None:
    _defined(_site_packages(path.partition("/")[0]) / path, symbol)


def _of_apscheduler_4(path: str, symbol: str) -> None:
    _defined(_folder(ALPHA) / path, symbol)


def _absent(alpha: str | None, word: str, place: str) -> None:
    found = (_folder(ALPHA) if alpha else _site_packages(place.partition("/")[0])) / place
    files = sorted(found.rglob("*.py")) if found.is_dir() else [found]
    assert files
    assert [file.name for file in files if re.search(rf"\b{word}", file.read_text(), re.IGNORECASE)] == []


def _required(package: str, requirement: str) -> None:
    folders = [*sys.path, *(str(_folder(venv)) for venv in ENVIRONMENTS.values())]
    (found, *_) = importlib.metadata.distributions(name=package, path=folders)
    assert requirement in (found.requires or [])


def _measured_figure(reference: str) -> None:
    assert _median(reference) is not None


RESOLVED_BY: dict[str, Callable[..., None]] = {
    r"(tests/[\w/]+\.py)::(test_\w+)": _a_test,
    r"((?:backend|benchmarks|tests|docs)/[\w/.-]+|pyproject\.toml)(?:: ?(.+))?": _of_ours,
    r"APScheduler 4, ([\w/]+\.py): ([\w.]+)": _of_apscheduler_4,
    r'(APScheduler 4, )?no "(\w+)" in ([\w/.]+)': _absent,
    r"([\w/]+\.py): ([\w.]+)": _of_a_peer,
    r"([\w-]+) requires (.+)": _required,
    r"(benchmarks / .+)": _measured_figure,
}


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _defined(path: Path, symbol: str) -> None:
    """Fail unless *path* defines *symbol*: a function, a class, a variable, or what is inside one."""
    body = _parsed(path).body
    for part in symbol.split("."):
        (found, *_) = [node for node in body if part in _names(node)] or [None]
        assert found is not None, f"{path.name} has no {symbol}"
        body = getattr(found, "body", [])


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _said(path: Path, words: str) -> None:
    assert words in path.read_text()


def _folder(venv: str) -> Path:
    """Return where *venv* has its packages; skip the test where it has not been made."""
    found = next((ROOT / venv).glob("lib/python*/site-packages"), None)
    if found is None:
        pytest.skip(f"there is no {venv}: make bench makes it")
    return found


def _site_packages(package: str) -> Path:
    """Return where *package* is installed; skip the test where it is not: some go with Python 3.11 only."""
    if package in ENVIRONMENTS:
        return _folder(ENVIRONMENTS[package])
    found = next((Path(entry) for entry in sys.path if (Path(entry) / package).is_dir()), None)
    if found is None:
        pytest.skip(f"{package} is not installed with this Python")
    return found


def _installed_version(package: str, version: str) -> str | None:
    """Return what is installed of *package* here or in an environment of its own, None if it is nowhere."""
    folders = [*sys.path, *(str(path) for path in ROOT.glob(".venv-*/lib/python*/site-packages"))]
    found = {one.version for one in importlib.metadata.distributions(name=package, path=folders)}
    return version if version in found else next(iter(found), None)


def _measured(note: str) -> list[str]:
    return re.findall(r"`(benchmarks / [^`]+)`", note)


def _median(reference: str) -> float | None:
    _, workload, size, system, metric = reference.split(" / ")
    assert RESULTS is not None
    found = RESULTS.of(workload, system, int(size.replace(",", "")))
    assert found is not None, reference
    return found.median(metric)
