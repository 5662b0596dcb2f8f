"""The tutorial for a project that exists, done as it says in one that exists."""

import json
import re
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, blocks
from tests.docs.projects import Project, commands, unpack_wheel
from tests.support.servers import RUNSERVER, Server

PAGE = DOCS / "tutorial" / "five-minutes.md"
MODELS = """
from django.db import models


class Product(models.Model):
    name = models.CharField(max_length=100)
"""
TESTS = """
from django.test import TestCase
from shop.models import Product


class ProductTest(TestCase):
    def test_a_product_has_a_name(self):
        self.assertEqual(Product.objects.create(name="tea").name, "tea")
"""
SUPERUSER = "from django.contrib.auth.models import User; User.objects.create_superuser('ann', password='tea-time-7')"

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that has an app with a model, a test and a superuser; what the page says is done to it."""
    folder = tmp_path_factory.mktemp("five-minutes")
    project = Project(folder=folder / "existing", installed=unpack_wheel(folder))
    project.folder.mkdir()
    for arguments in (("startproject", "mysite", "."), ("startapp", "shop")):
        assert project.run("-m", "django", *arguments).returncode == 0
    (project.folder / "shop" / "models.py").write_text(MODELS)
    (project.folder / "shop" / "tests.py").write_text(TESTS)
    with (project.folder / "mysite" / "settings.py").open("a") as settings:
        settings.write('INSTALLED_APPS += ["shop"]\n')
    project.manage("makemigrations", "shop")
    project.manage("migrate")
    project.manage("shell", "--no-imports", "-c", SUPERUSER)
    project.append(PAGE)
    return project


def test_every_command_of_the_page_works_and_the_server_then_runs_the_tasks(project: Project, tmp_path: Path) -> None:
    *before, last = commands(PAGE)
    said = {" ".join(arguments): project.manage(*arguments) for arguments in before}
    assert last == ["runserver"]
    assert columns(said["async_tasks list"]) == columns(shown("async_tasks list"))
    assert re.fullmatch(r"clear_sessions: succeeded in [\d.]+ m?s\n", said["async_tasks run clear_sessions"])
    with Server(RUNSERVER, folder=tmp_path, project=project.folder, environment=project.environment()) as server:
        server.wait_until_serving()
        page = sign_in(f"http://127.0.0.1:{server.port}/tasks/")
        assert {"count_people", "clear_sessions"} <= set(re.findall(r"\w+_\w+", page))
        server.wait_until(lambda: last_result(project))
        assert server.stop() == 0
        assert not server.leaks


def last_result(project: Project) -> bool:
    """True once ``count_people`` has succeeded, by the database."""
    tasks = {task["name"]: task["last_run"] for task in json.loads(project.manage("async_tasks", "list", "--json"))}
    return bool(tasks["count_people"]) and tasks["count_people"]["status"] == "succeeded"


def sign_in(address: str) -> str:
    """Open *address*, sign in where it leads, and return the page that comes then."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with browser.open(address) as form:
        (token,) = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form.read().decode()))
        leads_to = form.url
    fields = {"csrfmiddlewaretoken": token, "username": "ann", "password": "tea-time-7", "next": "/tasks/"}
    with browser.open(leads_to, urllib.parse.urlencode(fields).encode()) as page:
        assert page.url == address
        return str(page.read().decode())


def shown(command: str) -> str:
    """Return what the page shows after *command*."""
    text = next(block.text for block in blocks("console", page=PAGE) if f"$ python manage.py {command}\n" in block.text)
    return text.partition(f"{command}\n")[2].partition("$ ")[0]


def columns(listed: str) -> list[tuple[str, str]]:
    """Return name and schedule of each line of a list of tasks."""
    lines = [re.split(r" {2,}", line) for line in listed.splitlines() if " enabled " in line]
    return [(cells[0], cells[1]) for cells in lines]
