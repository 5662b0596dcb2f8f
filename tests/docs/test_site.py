"""The documentation as a site: built without a warning, and complete in itself."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import asyncsched
from asyncsched import testing
from tests.docs.pages import DOCS, ROOT

REFERENCE = DOCS / "reference" / "python.md"
FETCHED = re.compile(r'<(?:script|img|iframe)[^>]* src="((?:https?:)?//[^"]+)|<link[^>]* href="((?:https?:)?//[^"]+)')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as ``make docs`` builds it. A link or an anchor that leads nowhere is a warning, and fails."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (built.returncode, built.stdout, built.stderr) == (0, "", "")
    return folder


def test_every_page_is_in_the_site(site: Path) -> None:
    pages = {page.relative_to(DOCS).with_suffix("") for page in DOCS.rglob("*.md")}
    folders = {page.parent if page.name in ("index", "README") else page for page in pages}
    assert {file.parent.relative_to(site) for file in site.rglob("index.html")} == folders


def test_a_page_fetches_nothing_from_elsewhere(site: Path) -> None:
    assert not {found for page in site.rglob("*.html") for found in FETCHED.findall(page.read_text())}


def test_no_program_of_the_site_is_published(site: Path) -> None:
    assert not list(site.rglob("*.py"))


@pytest.mark.parametrize("package", [asyncsched, testing], ids=lambda package: package.__name__)
def test_every_public_name_is_in_the_reference(package: object) -> None:
    told = set(re.findall(r"^::: ([\w.]+)$", REFERENCE.read_text(), re.MULTILINE))
    names = {f"{package.__name__}.{name}" for name in package.__all__}  # type: ignore[attr-defined]
    errors = {f"asyncsched.{name}" for name in vars(asyncsched.errors)}
    assert names - errors <= told


def test_the_docstrings_are_in_the_reference(site: Path) -> None:
    page = (site / "reference" / "python" / "index.html").read_text()
    assert "Run the decorated function, which takes no arguments" in page
