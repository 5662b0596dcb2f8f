"""The navigation of the site: the index, read. Each heading there is a section, each item a page."""  # noqa: INP001

import re
from pathlib import Path
from typing import Any

_LINE = re.compile(r"(?P<depth>##+) (?P<section>.+)|- \[(?P<title>[^\]]+)\]\((?P<page>[^)]+\.md)\)")


def on_config(config: Any) -> None:
    """Fill in the navigation, as mkdocs calls it once the configuration is read."""
    config.nav = [{"Overview": "index.md"}, *sections(Path(config.docs_dir, "index.md").read_text())]


def sections(index: str) -> list[dict[str, Any]]:
    """Return the sections of *index* with their pages, and with the sections within them."""
    levels: list[list[dict[str, Any]]] = [[]]
    for line in filter(None, map(_LINE.match, index.splitlines())):
        if line["page"]:
            levels[-1].append({line["title"].replace("`", ""): line["page"]})
        else:
            del levels[len(line["depth"]) - 1 :]
            inside: list[dict[str, Any]] = []
            levels[-1].append({line["section"]: inside})
            levels.append(inside)
    return levels[0]
