"""Nobody has to believe the comparison: each cell has a note, and shows what was measured."""

import re
from importlib.metadata import Distribution

import pytest

from tests.docs.pages import DOCS, Table, table, tables
from tests.docs.references import ALPHA, CODE, NOTE, installed, median, notes

PAGE = DOCS / "explanation" / "comparison.md"
FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?")
PACKAGES = table("docs/explanation/comparison.md", "Package").rows


def compared() -> list[Table]:
    """Return the tables that have the systems as rows."""
    return [each for each in tables(PAGE) if each.header[0] == "System"]


def cells() -> list[tuple[str, str, str]]:
    """Return each cell as system, criterion and text."""
    return [
        (row[0], criterion, text)
        for each in compared()
        for row in each.rows
        for criterion, text in zip(each.header[1:], row[1:], strict=True)
    ]


def test_each_table_has_the_same_systems():
    first, *others = [[row[0] for row in each.rows] for each in compared()]
    assert len(first) > 5
    assert all(systems == first for systems in others)


def test_each_cell_has_a_note():
    assert [(system, criterion) for system, criterion, text in cells() if not NOTE.search(text)] == []


MEASURED = [
    (f"{system}, {criterion}", NOTE.sub("", text) + CODE.sub("", note), reference)
    for system, criterion, text in cells()
    for note in map(notes(PAGE).get, NOTE.findall(text))
    for reference in CODE.findall(note)
    if reference.startswith("benchmarks / ")
]


@pytest.mark.parametrize(("cell", "text", "reference"), MEASURED)
def test_a_figure_that_was_measured_stands_in_the_cell_or_in_its_note(cell, text, reference):
    """To within a third: who measures anew need not rewrite the page, unless something has changed."""
    shown = [float(figure.replace(",", "")) for figure in FIGURE.findall(text)]
    assert any(figure == pytest.approx(median(reference), rel=1 / 3) for figure in shown), cell


@pytest.mark.parametrize("row", PACKAGES, ids=lambda row: f"{row[0]} {row[1]}")
def test_a_version_is_the_one_that_was_tried_and_names_what_it_supports(row):
    package, version, django, python, tried = row
    found = installed(package, ALPHA if "make bench" in tried else "")
    named = [newest("Framework :: Django", found), newest("Programming Language :: Python", found)]
    assert (found.version, *named) == (version, django, python)


def newest(framework: str, package: Distribution) -> str:
    """Return the newest version of *framework* that *package* names in its classifiers, a dash if it names none."""
    classifiers = "\n".join(package.metadata.get_all("Classifier", []))
    named = re.findall(rf"^{framework} :: (\d+)\.(\d+)$", classifiers, re.MULTILINE)
    return "{}.{}".format(*max((int(major), int(minor)) for major, minor in named)) if named else "–"
