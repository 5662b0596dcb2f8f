"""The tutorial for a project that exists, done as it says in one that exists."""

import json
import re
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from tests.docs.pages import DOCS
from tests.docs.projects import Project, commands, names_and_schedules, output
from tests.support.servers import RUNSERVER, Server

PAGE = DOCS / "tutorial" / "five-minutes.md"
EXISTING = {
    "mysite/urls.py": """
from django.http import HttpResponse
from django.urls import path

urlpatterns += [path("", lambda request: HttpResponse("a shop"))]
""",
    "mysite/settings.py": """
INSTALLED_APPS += ["shop"]
""",
    "shop/tests.py": """
from django.test import TestCase


class ShopTest(TestCase):
    def test_the_shop_is_open(self):
        self.assertContains(self.client.get("/"), "a shop")
""",
}
PASSWORD = "tea-time-7"
MAKE_PEOPLE = (
    f"from django.contrib.auth.models import User; User.objects.create_superuser('ann', password='{PASSWORD}')"
)

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, installed: Path) -> Project:
    """A project with an app, a page and a test, to which what the tutorial says is done."""
    project = Project(folder=tmp_path_factory.mktemp("existing"), installed=installed)
    project.start("shop")
    for name, text in EXISTING.items():
        with (project.folder / name).open("a") as file:
            file.write(text)
    project.write(PAGE)
    return project


def test_its_commands_work_and_then_the_server_runs_the_tasks(project: Project, tmp_path: Path) -> None:
    *before, last = commands(PAGE)
    said = {" ".join(arguments): project.manage(*arguments) for arguments in before}
    listed = said["async_tasks list"]
    assert names_and_schedules(listed) == names_and_schedules(output(PAGE, "async_tasks list"))
    assert re.fullmatch(r"clear_sessions: succeeded in [\d.]+ m?s\n", said["async_tasks run clear_sessions"])
    assert last == ["runserver"]
    project.manage("shell", "--no-imports", "-c", MAKE_PEOPLE)
    with Server(RUNSERVER, folder=tmp_path, project=project.folder, environment=project.environment) as server:
        server.wait_until_serving()
        assert server.get("/").body == "a shop"
        browser = Browser(f"http://127.0.0.1:{server.port}")
        assert {"count_people", "clear_sessions"} <= set(re.findall(r"\w+_\w+", browser.sign_in("/tasks/")))
        server.wait_until(lambda: browser.last_status("count_people") == "succeeded")
        assert server.stop() == 0
        assert not server.leaks


class Browser:
    """Somebody who looks at the pages of the site *root*."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def sign_in(self, path: str) -> str:
        """Open *path*, sign in where that leads, and return the page that comes then."""
        with self._opener.open(self._root + path) as form:
            (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form.read().decode())
            leads_to = form.url
        fields = {"csrfmiddlewaretoken": token, "username": "ann", "password": PASSWORD, "next": path}
        with self._opener.open(leads_to, urllib.parse.urlencode(fields).encode()) as page:
            assert page.url == self._root + path
            return str(page.read().decode())

    def last_status(self, name: str) -> str | None:
        """Return how the last run of the task *name* ended; None if it never ran."""
        with self._opener.open(f"{self._root}/tasks.json") as found:
            (run,) = [task["last_run"] for task in json.load(found)["tasks"] if task["name"] == name]
        return run and str(run["status"])
