"""The documentation as data: its pages, code blocks and tables."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")])

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block of code. *name* is the file its first line names, such as ``mysite/asgi.py``."""

    page: Path
    language: str
    text: str

    @property
    def name(self) -> str:
        first = re.match(r"# ([\w/.-]+\.py)\b", self.text)
        return first[1] if first else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table: its header, and its rows as lists of cells."""

    header: list[str]
    rows: list[list[str]]

    def column(self, number: int) -> list[str]:
        """Return a column, each cell as the code in it where it has some."""
        return [code(row[number]) for row in self.rows]


def blocks(*languages: str, page: Path | None = None) -> list[Block]:
    """Return the code blocks in *languages* of *page*, or of all pages."""
    pages = [page] if page else PAGES
    found = [Block(page=page, language=m[1], text=m[2]) for page in pages for m in _BLOCK.finditer(page.read_text())]
    return [block for block in found if block.language in languages]


def tables(page: Path) -> list[Table]:
    """Return the tables of *page*, in order."""
    found: list[list[list[str]]] = []
    before = ""
    for line in _BLOCK.sub("", page.read_text()).splitlines():
        if line.startswith("|"):
            if not before.startswith("|"):
                found.append([])
            found[-1].append([cell.strip() for cell in line.strip("|").split(" | ")])
        before = line
    return [Table(header=rows[0], rows=rows[2:]) for rows in found]


def table(path: str, first: str) -> Table:
    """Return the table of the page at *path* (from the root) whose first column is headed *first*."""
    (found,) = [table for table in tables(ROOT / path) if table.header[0] == first]
    return found


def code(cell: str) -> str:
    """Return the first code span of *cell*, or all of it if it has none."""
    found = _CODE.search(cell)
    return found[1] if found else cell


def prose(page: Path) -> str:
    """Return the text of *page* without its code."""
    return _CODE.sub("", _BLOCK.sub("", page.read_text()))


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of *page*, as code forges make them."""
    headings = re.findall(r"^#+ (.+)$", _BLOCK.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
