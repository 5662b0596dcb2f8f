"""The versions that `make matrix` tries are those that the metadata and the documentation name."""

import importlib.util
import tomllib
from types import ModuleType

import pytest

from tests.docs.pages import table
from tests.support.built import ROOT

CLASSIFIERS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]


@pytest.fixture(scope="module")
def noxfile() -> ModuleType:
    spec = importlib.util.spec_from_file_location("noxfile", ROOT / "noxfile.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def classified(prefix: str) -> set[str]:
    """Return the versions that the metadata names after *prefix*."""
    return {line.rpartition(" :: ")[2] for line in CLASSIFIERS if line.startswith(f"{prefix} :: ")}


def test_every_version_that_the_metadata_names_is_tried(noxfile: ModuleType) -> None:
    assert {python for python, _ in noxfile.MATRIX} == classified("Programming Language :: Python")
    assert {django for _, django in noxfile.MATRIX} == classified("Framework :: Django")


def test_the_page_says_which_pairs_are_tried(noxfile: ModuleType) -> None:
    shown = table("docs/reference/versions.md", "Python")
    djangos = [heading.removeprefix("Django ") for heading in shown.header[1:]]
    tried = [
        (python, django)
        for python, *cells in shown.rows
        for django, cell in zip(djangos, cells, strict=True)
        if cell == "tried"
    ]
    assert tried == noxfile.MATRIX


def test_the_page_names_the_extras_that_the_servers_are_tried_with(noxfile: ModuleType) -> None:
    page = (ROOT / "docs" / "reference" / "versions.md").read_text()
    named = [f"`{extra}`" for extra in noxfile.EXTRAS.split(",")]
    assert all(name in page for name in named)
