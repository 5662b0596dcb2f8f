"""The examples are code that runs."""

import ast
import json
import os
from pathlib import Path

import pytest

import asyncsched
from tests.docs.pages import DOCS, ROOT, Block, blocks
from tests.docs.projects import Project

PYTHON = blocks("python")
TESTING = DOCS / "howto" / "test-tasks.md"


def place(block: Block) -> str:
    return f"{block.page.relative_to(ROOT)}: {block.text.splitlines()[0]}"


@pytest.mark.parametrize("block", PYTHON, ids=place)
def test_a_python_example_compiles(block: Block) -> None:
    compile(block.text, place(block), "exec", dont_inherit=True)


@pytest.mark.parametrize("block", PYTHON, ids=place)
def test_a_python_example_imports_only_what_the_front_door_offers(block: Block) -> None:
    imports = [node for node in ast.walk(ast.parse(block.text)) if isinstance(node, ast.ImportFrom)]
    names = {alias.name for node in imports if node.module == "asyncsched" for alias in node.names}
    assert names <= set(asyncsched.__all__)


@pytest.mark.parametrize("block", blocks("json"), ids=place)
def test_a_json_example_is_json(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", blocks("python", page=DOCS / "reference" / "schedules.md"), ids=place)
def test_what_the_page_on_schedules_asserts_holds(block: Block) -> None:
    exec(compile(block.text, place(block), "exec", dont_inherit=True), {})


def test_the_examples_of_tests_pass(tmp_path: Path) -> None:
    examples = [block for block in blocks("python", page=TESTING) if block.name]
    for example in examples:
        (tmp_path / example.name).parent.mkdir(exist_ok=True)
        (tmp_path / example.name).write_text(example.text)
    # In a project Django discovers the tasks, and pytest the plugin of a package that is installed.
    (tmp_path / "conftest.py").write_text("import shop.tasks\n")
    options = ["-p", "asyncsched.testing.plugin", "-p", "no:cacheprovider", "-p", "no:django"]
    options += ["-o", "asyncio_default_fixture_loop_scope=function"]
    arguments = ("-m", "pytest", *options, "-c", os.devnull, "--rootdir", str(tmp_path), ".")
    done = Project(folder=tmp_path, installed=ROOT / "backend").run(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout
