"""A migrated database to copy, and a factory of servers that run the project beside this file."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import ROOT, Kind, Server

PROJECT = Path(__file__).parent / "project"


class Site:
    """One server of the project, with its database and the ledger of what its tasks did."""

    def __init__(self, kind: Kind, folder: Path, *, template: Path, tasks: tuple[str, ...], **environment: str) -> None:
        self.database = Path(environment.pop("database", folder / "db.sqlite3"))
        if not self.database.exists():
            shutil.copy(template, self.database)
        self.ledger_file = folder / "ledger"
        project = Path(environment.pop("project", PROJECT))
        defaults = {
            "DATABASE_URL": f"sqlite:///{self.database}",
            "E2E_LEDGER": str(self.ledger_file),
            "E2E_TASKS": ",".join(tasks),
        }
        self.server = Server(kind, folder=folder, project=project, environment=defaults | environment)

    def ledger(self, *tasks: str, event: str | None = None) -> list[dict[str, Any]]:
        """Return what *tasks* (by default all) noted, in order; only lines saying *event*, if given."""
        if not self.ledger_file.exists():
            return []
        complete, _, _ = self.ledger_file.read_text().rpartition("\n")
        lines = [json.loads(line) for line in complete.splitlines()]
        return [
            line for line in lines if (not tasks or line["task"] in tasks) and (event is None or line["event"] == event)
        ]

    def wait_for_notes(self, task: str, *, event: str | None = None, count: int = 1) -> None:
        """Return once *task* has noted *event* (by default anything) *count* times more than now."""
        before = len(self.ledger(task, event=event))
        self.server.wait_until(lambda: len(self.ledger(task, event=event)) >= before + count)

    def runs(self, task: str) -> list[tuple[str, str]]:
        """Return status and error of the runs of *task* in history, oldest first."""
        with closing(sqlite3.connect(self.database, timeout=10)) as connection:
            query = "SELECT status, error FROM asyncsched_taskrun WHERE task = ? ORDER BY started_at, id"
            return connection.execute(query, [task]).fetchall()

    def last_status(self, task: str) -> str | None:
        """Return how the latest run of *task* ended, as its state says."""
        with closing(sqlite3.connect(self.database, timeout=10)) as connection:
            query = "SELECT last_status FROM asyncsched_taskstate WHERE task = ?"
            row = connection.execute(query, [task]).fetchone()
            return row[0] if row else None

    def state(self) -> dict[str, Any]:
        """Return what the server says of its scheduler."""
        return json.loads(self.server.get("/state").body)


StartSite = Callable[..., Site]


def command(*arguments: str, database: Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``manage.py`` of the project and return what it printed, both streams in one."""
    settings: Mapping[str, str] = {
        "DATABASE_URL": f"sqlite:///{database}",
        "E2E_LEDGER": str(folder / "ledger"),
        "PYTHONPATH": os.pathsep.join([str(PROJECT), str(ROOT / "backend")]),
        "SECRET_KEY": "for tests only",
        "DJANGO_SETTINGS_MODULE": "settings",
    }
    return subprocess.run(
        [sys.executable, "-X", "dev", str(PROJECT / "manage.py"), *arguments],
        env=os.environ | settings | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database, to be copied."""
    folder = tmp_path_factory.mktemp("template")
    database = folder / "db.sqlite3"
    done = command("migrate", "--verbosity", "0", database=database, folder=folder)
    assert done.returncode == 0, done.stdout
    return database


@pytest.fixture(scope="module")
def start(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartSite]:
    """Start servers; whatever still runs is ended when the module is through."""
    with ExitStack() as stack:

        def start_site(kind: Kind, *tasks: str, **environment: str) -> Site:
            folder = tmp_path_factory.mktemp(kind.name.replace(" ", "-"))
            site = Site(kind, folder, template=template, tasks=tasks or ("tick",), **environment)
            stack.enter_context(site.server)
            return site

        yield start_site
