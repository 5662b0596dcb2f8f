"""Every page can be reached, and every link leads somewhere."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, PAGES, ROOT, anchors, prose

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def links(page: Path) -> list[tuple[Path, str]]:
    """Return the links of *page* to files: where they lead, and the anchor there."""
    targets = [target for target in LINK.findall(prose(page)) if "://" not in target]
    parts = [target.partition("#") for target in targets]
    return [((page.parent / path).resolve() if path else page, anchor) for path, _, anchor in parts]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    missing = {path for path, _ in links(page) if not path.exists()}
    assert not missing
    assert not [
        (path.name, anchor) for path, anchor in links(page) if anchor and path.exists() and anchor not in anchors(path)
    ]


def test_every_page_is_in_the_index() -> None:
    listed = {path for path, _ in links(DOCS / "index.md")}
    assert set(DOCS.rglob("*.md")) - listed == {DOCS / "index.md"}


def test_the_readme_leads_to_the_index() -> None:
    assert DOCS / "index.md" in {path for path, _ in links(ROOT / "README.md")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_has_one_title(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
