"""The examples are code that runs."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import asyncsched
from tests.docs.pages import DOCS, ROOT, Block, blocks
from tests.support.servers import Kind, Server

PYTHON = blocks("python")
TUTORIAL = DOCS / "tutorial" / "first-schedule.md"
TESTING = DOCS / "howto" / "test-tasks.md"
SERVER = Kind(name="tutorial", arguments=("-m", "daphne", "-b", "127.0.0.1", "-p", "{port}", "mysite.asgi:application"))


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
    done = run(tmp_path, "-m", "pytest", *options, "-c", os.devnull, "--rootdir", str(tmp_path), ".")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout


@pytest.fixture(scope="module")
def garden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of the tutorial, made as it says."""
    project = tmp_path_factory.mktemp("my-garden")
    assert run(project, "-m", "django", "startproject", "mysite", ".").returncode == 0
    assert run(project, "manage.py", "startapp", "garden").returncode == 0
    for block in blocks("python", page=TUTORIAL):
        file = project / block.name
        before = file.read_text() if block.name.endswith("settings.py") else ""
        file.write_text(before + block.text)
    migrated = run(project, "manage.py", "migrate")
    assert migrated.returncode == 0, migrated.stderr
    return project


def test_the_tutorials_project_lists_its_tasks(garden: Path) -> None:
    listed = run(garden, "manage.py", "async_tasks", "list").stdout
    shown = next(block for block in blocks("console", page=TUTORIAL) if "never" in block.text).text
    assert names_and_schedules(listed) == names_and_schedules(shown)


def test_the_tutorials_tasks_run_by_hand_as_it_shows(garden: Path) -> None:
    watered = run(garden, "manage.py", "async_tasks", "run", "water_plants")
    assert watered.returncode == 0
    assert watered.stdout.endswith(": 3 plants watered\n")
    filled = run(garden, "manage.py", "async_tasks", "run", "fill_tank")
    assert filled.returncode == 1
    assert filled.stdout.endswith(": RuntimeError: the tap is closed\n")


@pytest.mark.e2e
def test_the_tutorials_server_runs_its_task_and_ends_cleanly(garden: Path, tmp_path: Path) -> None:
    with Server(SERVER, folder=tmp_path, project=garden) as server:
        server.wait_until_logged("no rain at", times=2)
        assert server.get().status == 200
        assert server.stop() == 0
    listed = run(garden, "manage.py", "async_tasks", "list", "--json").stdout
    (watched,) = [task for task in json.loads(listed) if task["name"] == "look_at_sky"]
    assert watched["last_run"]["status"] == "succeeded"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with *arguments* in *folder*, as somebody would who has installed the package."""
    inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=inherited | {"PYTHONPATH": str(ROOT / "backend"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def names_and_schedules(listed: str) -> list[tuple[str, str]]:
    lines = [line.split("  ") for line in listed.splitlines() if " enabled " in line]
    return [(cells[0], next(cell.strip() for cell in cells[1:] if cell)) for cells in lines]
