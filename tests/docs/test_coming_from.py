"""What the pages for people who come from another scheduler say of the code after the move."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, blocks, table

PAGES = sorted((DOCS / "howto").glob("from-*.md"))
LIST = """
import json, sys
from asyncsched.registry import registry

said = {}
for code in json.load(sys.stdin):
    exec(compile(code, "tasks.py", "exec", dont_inherit=True), {"__name__": "shop.tasks"})
    said.update({task.name: task.schedule.in_zone("UTC").describe() for task in registry})
print(json.dumps(said))
"""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_after_the_move_registers_the_schedules_that_the_page_names(page: Path) -> None:
    after = [block.text for block in blocks("python", page=page) if block.name == "shop/tasks.py"]
    told = subprocess.run(
        [sys.executable, "-c", LIST],
        cwd=ROOT / "backend",
        input=json.dumps(after),
        capture_output=True,
        text=True,
        check=True,
    )
    shown = table(str(page.relative_to(ROOT)), "Task")
    assert json.loads(told.stdout) == {name: row[1] for name, row in zip(shown.column(0), shown.rows, strict=True)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_the_page_registers_stands_in_a_module_that_is_found(page: Path) -> None:
    registers = [block.text for block in blocks("python", page=page) if "@register" in block.text]
    assert all("shop/tasks.py" in text.splitlines()[0] for text in registers)
