"""A migrated database to copy, and a factory of servers that run the project beside this file."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.postgres import Postgres
from tests.support.servers import ROOT, Kind, Server

PROJECT = Path(__file__).parent / "project"


class Site:
    """One server of the project, with its database and the ledger of what its tasks did.

    *environment* is added to its own. The database is a copy of *template*, unless it names another.
    """

    def __init__(self, kind: Kind, folder: Path, *, template: Path, tasks: tuple[str, ...], **environment: str) -> None:
        self.database = Path(environment.pop("database", folder / "db.sqlite3"))
        self.database_url = environment.setdefault("DATABASE_URL", f"sqlite:///{self.database}")
        if self.is_sqlite and not self.database.exists():
            shutil.copy(template, self.database)
        self.ledger_file = folder / "ledger"
        self.metrics = ""
        """What its /metrics said, if a test has asked."""
        project = Path(environment.pop("project", PROJECT))
        defaults = {"E2E_LEDGER": str(self.ledger_file), "E2E_TASKS": ",".join(tasks)}
        self.server = Server(kind, folder=folder, project=project, environment=defaults | environment)

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

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

    def wait_until_it_drains(self) -> None:
        """Return once the task ``notices_the_drain`` has done so."""
        self.server.wait_until(lambda: self.ledger("notices_the_drain", event="noticed"))

    def runs(self, task: str) -> list[tuple[str, str]]:
        """Return status and error of the runs of *task* in history, oldest first."""
        rows = self.query("SELECT task, status, error FROM asyncsched_taskrun ORDER BY started_at, id")
        return [(status, error) for name, status, error in rows if name == task]

    def last_status(self, task: str) -> str | None:
        """Return how the latest run of *task* ended, as its state says."""
        return dict(self.query("SELECT task, last_status FROM asyncsched_taskstate")).get(task)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Run one statement in the database and return its rows, if it has any."""
        with self._connected() as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let nobody else write what the scheduler writes, inside the block; reading goes on."""
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN")
            if not self.is_sqlite:
                connection.execute("LOCK TABLE asyncsched_taskrun, asyncsched_taskstate IN EXCLUSIVE MODE")
            yield
            connection.execute("ROLLBACK")

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """Connect, each statement being a transaction of its own."""
        connect: Any = (
            sqlite3.connect(self.database, timeout=10, isolation_level=None)
            if self.is_sqlite
            else psycopg.connect(self.database_url, autocommit=True)
        )
        with closing(connect) as connection:
            yield connection

    def state(self) -> dict[str, Any]:
        """Return what the server says of its scheduler."""
        return json.loads(self.server.get("/state").body)


MakeSite = Callable[..., Site]
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


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a migrated PostgreSQL database, to be copied."""
    name = "e2e_template"
    folder = tmp_path_factory.mktemp(name)
    url = postgres.create_database(name)
    done = command("migrate", "--verbosity", "0", database=folder / "unused", folder=folder, DATABASE_URL=url)
    assert done.returncode == 0, done.stdout
    return name


@pytest.fixture(scope="module")
def make_site(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeSite]:
    """Make servers that are to be started; whatever still runs is ended when the module is through."""
    with ExitStack() as stack:

        def make(kind: Kind, *tasks: str, **environment: str) -> Site:
            folder = tmp_path_factory.mktemp(kind.name.replace(" ", "-"))
            site = Site(kind, folder, template=template, tasks=tasks or ("tick",), **environment)
            stack.callback(site.server.kill)
            return site

        yield make


@pytest.fixture(scope="module")
def start(make_site: MakeSite) -> StartSite:
    """Start servers."""

    def start_site(kind: Kind, *tasks: str, **environment: str) -> Site:
        site = make_site(kind, *tasks, **environment)
        site.server.start()
        return site

    return start_site
