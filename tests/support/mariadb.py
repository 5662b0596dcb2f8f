"""A MariaDB of our own for tests: Debian's programs on a data folder that is thrown away afterwards.

with running_mariadb() as server:
    server.create_database("outbox")
    server.url("outbox")        # mysql://...: fit for DATABASE_URL
    server.restart()            # same port, same data
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql

from tests.support.ports import free_port
from tests.support.programs import program

USER = "tests"
# Django asks for mysqlclient, which needs a compiler; PyMySQL speaks for it, and says that it is new enough. All its
# modules do: with install_as_MySQLdb() alone they are loaded twice, and Django does not know the other half's errors.
for _name in [name for name in sys.modules if name.partition(".")[0] == "pymysql"]:
    sys.modules[_name.replace("pymysql", "MySQLdb", 1)] = sys.modules[_name]

# Durability is of no use to a server that lives for one test run.
SETTINGS = (
    "--bind-address=127.0.0.1",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=16M",
    "--innodb-fast-shutdown=2",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_general_ci",
)


class MariaDB:
    """One server on one port of 127.0.0.1, whether it is running or not."""

    def __init__(self, programs: dict[str, str], folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._programs = programs
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "tmp").mkdir()
        # A file of settings that the machine has is not for us, nor is its plug-in that lets in who root is.
        install = ("--auth-root-authentication-method=normal", "--skip-test-db")
        self._run("mariadb-install-db", "--no-defaults", *install, *self._places)
        self.start()
        # MariaDB takes who comes from 127.0.0.1 for another user than who comes by its socket.
        self._sql(f"CREATE USER '{USER}'@'%'", f"GRANT ALL ON *.* TO '{USER}'@'%'", user="root")

    @property
    def _places(self) -> tuple[str, ...]:
        mine = ("--user=root",) if os.geteuid() == 0 else ()
        return (*mine, f"--datadir={self.folder / 'data'}", f"--tmpdir={self.folder / 'tmp'}")

    @property
    def _socket(self) -> str:
        return str(self.folder / "socket")

    def url(self, database: str = "mysql") -> str:
        """Return the address of *database*, which need not exist yet."""
        return f"mysql://{USER}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str) -> str:
        """Create an empty database and return its address."""
        self._sql(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop the database."""
        self._sql(f"DROP DATABASE `{name}`")

    def start(self) -> None:
        """Start it and return once it takes connections."""
        own = (f"--port={self.port}", f"--socket={self._socket}", f"--pid-file={self.folder / 'pid'}")
        command = [self._programs["mariadbd"], "--no-defaults", *self._places, *own, *SETTINGS]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while not self._takes_connections():
            assert self._process.poll() is None, (self.folder / "log").read_text(errors="replace")
            assert time.monotonic() < deadline, "MariaDB did not start"
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it and return once it is gone; connections are closed."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it without a word."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start it on the same port with the same data."""
        self.stop()
        self.start()

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None

    def _takes_connections(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
                return bool(probe.recv(1))  # it greets who comes
        except OSError:
            return False

    def _sql(self, *statements: str, user: str = USER) -> None:
        connection = pymysql.connect(unix_socket=self._socket, user=user, connect_timeout=5, read_timeout=30)
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
        finally:
            connection.close()

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._programs[program], *arguments]
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=60)
        if done.returncode:
            raise RuntimeError(f"{program} exited with {done.returncode}: {done.stderr.decode(errors='replace')}")


@contextmanager
def running_mariadb() -> Iterator[MariaDB]:
    """Start a MariaDB; stop and delete it at the end. Skips the test where there is none (fails under CI)."""
    programs = {name: program(name) for name in ("mariadbd", "mariadb-install-db")}
    with tempfile.TemporaryDirectory(prefix="mariadb-") as folder:
        server = MariaDB(programs, Path(folder))
        try:
            yield server
        finally:
            server.stop()
