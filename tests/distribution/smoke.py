"""What must work wherever the wheel is installed. The Python of that environment runs it, without the checkout:

    python -P smoke.py bare      # there is nothing besides Django and what it needs
    python -P smoke.py served    # with the extras, daphne and uvicorn

It makes a project in a temporary folder as Django's own commands do, and adds what the documentation
says. It needs the standard library only. Ends with 0, or with what went wrong.
"""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

CORE = {"asgiref", "asyncsched", "django", "sqlparse"}  # sqlparse is Django's own need
INSTALLERS = {"pip", "setuptools", "wheel"}
PATIENCE = 60.0  # seconds until something has to have happened
EXIT_CODES = (0, -signal.SIGTERM)  # uvicorn drains, and then dies by the signal

TASKS = """
import threading

from asyncsched import DailyAt, Every, current_run, register

ticked = threading.Event()


@register("tick", Every(seconds=0.5), history="all")
async def tick() -> str:
    ticked.set()
    return current_run().task


@register("sweep", DailyAt(hour=3, minute=30, tz="Europe/Berlin"))
def sweep() -> int:
    return 3
"""
MORE_TASKS = """
import os

from asyncsched import Cron


@register("report", Cron("*/15 8-18 * * MON-FRI"))
def report() -> None: ...


@register("crunch", Every(seconds=1), executor="processes")
def crunch() -> int:
    return os.getpid()
"""
ASGI = """
from asyncsched.server import SchedulerLifespan

application = SchedulerLifespan(application)
"""
CHANNELS = """
from asyncsched.server import SchedulerLifespan
from channels.routing import ProtocolTypeRouter, URLRouter

from asyncsched.web.routing import websocket_urlpatterns

application = SchedulerLifespan(
    ProtocolTypeRouter({"http": application, "websocket": URLRouter(websocket_urlpatterns())})
)
"""
URLS = """
from django.urls import include

urlpatterns += [path("", include("asyncsched.web.urls"))]
"""
WITHOUT_A_SERVER = """
import asyncio

from mysite.asgi import application
from shop.tasks import ticked


async def main() -> None:
    events, answers = asyncio.Queue(), asyncio.Queue()
    serving = asyncio.create_task(application({"type": "lifespan", "state": {}}, events.get, answers.put))
    for event in ("startup", "shutdown"):
        await events.put({"type": f"lifespan.{event}"})
        answer = await answers.get()
        assert answer == {"type": f"lifespan.{event}.complete"}, answer
        assert await asyncio.to_thread(ticked.wait, 30)
    await serving


asyncio.run(main())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A Django project ``mysite`` with an app ``shop``. Warnings are errors in its processes if it is *picky*."""

    folder: Path
    picky: bool

    def python(self, *arguments: str) -> str:
        """Run Python in the project and return what it printed; if it fails, end all with what it said."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        expect(done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def manage(self, *arguments: str) -> str:
        """Run ``manage.py``."""
        return self.python("manage.py", *arguments)

    def told(self, *arguments: str) -> Any:
        """Return what ``async_tasks … --json`` says."""
        return json.loads(self.manage("async_tasks", *arguments, "--json"))

    def append(self, file: str, text: str) -> None:
        """Put *text* at the end of *file*."""
        with (self.folder / file).open("a") as opened:
            opened.write(text)

    def serve(self, arguments: list[str]) -> subprocess.Popen[bytes]:
        """Start a server, with *arguments* for Python. Its log is the file ``log``."""
        with (self.folder / "log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, *arguments], cwd=self.folder, env=self._environment, stdout=log, stderr=log
            )

    @property
    def _environment(self) -> dict[str, str]:
        ours = {"DJANGO_SETTINGS_MODULE": "mysite.settings", "PYTHONWARNINGS": "error" if self.picky else "default"}
        return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | ours


def bare(project: Project) -> None:
    """Without any extra the commands work, and the one line in ``asgi.py`` runs tasks."""
    there = {found.name.lower() for found in distributions()} - INSTALLERS
    expect(there == CORE, f"installed are {sorted(there)}")
    project.append("shop/tasks.py", TASKS)
    project.append("mysite/asgi.py", ASGI)
    prepare(project, {"tick", "sweep"})
    project.python("-c", WITHOUT_A_SERVER)
    expect_runs(project, "tick")


def served(project: Project) -> None:
    """With the extras each server runs the tasks, and the pages tell of them."""
    project.append("shop/tasks.py", TASKS + MORE_TASKS)
    project.append("mysite/asgi.py", CHANNELS)
    project.append("mysite/urls.py", URLS)
    prepare(project, {"tick", "sweep", "report", "crunch"})
    servers = [
        serve(project, "daphne", "-b", "127.0.0.1", "-p"),
        serve(project, "uvicorn", "--host", "127.0.0.1", "--port"),
    ]
    expect_runs(project, "tick")
    processes = expect_runs(project, "crunch")
    expect(processes.isdisjoint(map(str, servers)), f"{processes} are the servers {servers}")


def prepare(project: Project, tasks: set[str]) -> None:
    """Check the project, bring its database up to date, and see that *tasks* are found and can be run."""
    project.manage("check", "--fail-level", "WARNING")
    project.manage("migrate", "--verbosity", "0")
    project.manage("makemigrations", "--check", "--dry-run")
    listed = {task["name"] for task in project.told("list")}
    expect(tasks <= listed, f"listed are {sorted(listed)}")
    (run,) = project.told("run", "sweep")
    expect(run["status"] == "succeeded", f"the run was {run}")


def expect_runs(project: Project, task: str) -> set[str]:
    """See in the history that a schedule has run *task*, and return what it returned."""
    runs = project.told("history", task)
    done = {run["result"] for run in runs if run["trigger"] == "schedule" and run["status"] == "succeeded"}
    expect(bool(done), f"{task} ran: {runs}")
    return done


def serve(project: Project, name: str, *address: str) -> int:
    """Serve the project until runs are counted, and as long as it takes to drain; return the id of the process."""
    port = unused_port()
    server = project.serve(["-m", name, *address, str(port), "mysite.asgi:application"])
    try:
        wait_until(lambda: fetched(port, "/readyz")[0] == 200, project, server)
        wait_until(lambda: counted(fetched(port, "/metrics")[1]) >= {"tick", "crunch"}, project, server)
        server.terminate()
        code = server.wait(PATIENCE)
    finally:
        server.kill()
        server.wait()
    expect(code in EXIT_CODES, f"{name} ended with {code}:\n{log_of(project)}")
    return server.pid


def counted(metrics: str) -> set[str]:
    """Return the tasks of which a run has succeeded since the server started."""
    return set(re.findall(r'^asyncsched_runs_total{status="succeeded",task="(.+)"} [1-9]', metrics, re.MULTILINE))


def wait_until(condition: Callable[[], bool], project: Project, server: subprocess.Popen[bytes]) -> None:
    """Return once *condition* holds; end all with the log if *server* ends, or time is up."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        expect(server.poll() is None and time.monotonic() < deadline, f"{server.args}:\n{log_of(project)}")
        time.sleep(0.05)


def fetched(port: int, path: str) -> tuple[int, str]:
    """Return the status and body of a page; status 0 while nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    except ConnectionError:
        return 0, ""
    finally:
        connection.close()


def log_of(project: Project) -> str:
    """Return what the server has printed."""
    return (project.folder / "log").read_text()


def unused_port() -> int:
    """Return a TCP port of 127.0.0.1 that is free at the moment."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def expect(holds: bool, message: str) -> None:
    """End with *message* unless what was expected *holds*."""
    if not holds:
        sys.exit(message)


def main(part: str) -> None:
    """Make a project with the package in it and try the *part* on it."""
    package = find_spec("asyncsched")
    where = package.origin if package else None
    expect(where is not None and Path(where).is_relative_to(sys.prefix), f"asyncsched is taken from {where}")
    with tempfile.TemporaryDirectory() as folder:
        project = Project(folder=Path(folder), picky=part == "bare")
        for arguments in (("startproject", "mysite", "."), ("startapp", "shop")):
            project.python("-m", "django", *arguments)
        project.append("mysite/settings.py", '\nINSTALLED_APPS += ["asyncsched", "shop"]\n')
        {"bare": bare, "served": served}[part](project)


if __name__ == "__main__":
    main(sys.argv[1])
