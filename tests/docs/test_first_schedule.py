"""The tutorial that begins with nothing, done as it says."""

import json
from pathlib import Path

import pytest

from tests.docs.pages import DOCS
from tests.docs.projects import Project, names_and_schedules, output
from tests.support.servers import Kind, Server

PAGE = DOCS / "tutorial" / "first-schedule.md"
SERVER = Kind(name="tutorial", arguments=("-m", "daphne", "-b", "127.0.0.1", "-p", "{port}", "mysite.asgi:application"))


@pytest.fixture(scope="module")
def garden(tmp_path_factory: pytest.TempPathFactory, installed: Path) -> Project:
    """The project of the tutorial, made as it says."""
    project = Project(folder=tmp_path_factory.mktemp("my-garden"), installed=installed)
    project.start("garden")
    project.write(PAGE, anew=frozenset({"mysite/asgi.py"}))
    project.manage("migrate")
    return project


def test_the_project_lists_its_tasks(garden: Project) -> None:
    listed = garden.manage("async_tasks", "list")
    assert names_and_schedules(listed) == names_and_schedules(output(PAGE, "async_tasks list"))


def test_its_tasks_run_by_hand_as_the_page_shows(garden: Project) -> None:
    watered = garden.run("manage.py", "async_tasks", "run", "water_plants")
    assert watered.returncode == 0
    assert watered.stdout.endswith(": 3 plants watered\n")
    filled = garden.run("manage.py", "async_tasks", "run", "fill_tank")
    assert filled.returncode == 1
    assert filled.stdout.endswith(": RuntimeError: the tap is closed\n")


@pytest.mark.e2e
def test_its_server_runs_the_task_and_ends_cleanly(garden: Project, tmp_path: Path) -> None:
    with Server(SERVER, folder=tmp_path, project=garden.folder, environment=garden.environment) as server:
        server.wait_until_logged("no rain at", times=2)
        assert server.get().status == 200
        assert server.stop() == 0
    (watched,) = [
        task for task in json.loads(garden.manage("async_tasks", "list", "--json")) if task["name"] == "look_at_sky"
    ]
    assert watched["last_run"]["status"] == "succeeded"
