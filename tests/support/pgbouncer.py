"""A real PgBouncer for tests: Debian's program in front of the tests' PostgreSQL.

with running_pgbouncer(postgres, pool_mode="transaction") as bouncer:
    bouncer.url("outbox")       # postgres://...: the same database, through the pool
"""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import free_port
from tests.support.postgres import USER, Postgres
from tests.support.programs import program


class PgBouncer:
    """One pooler on one port of 127.0.0.1."""

    def __init__(self, program: str, folder: Path, postgres: Postgres, settings: dict[str, object]) -> None:
        self.port = free_port()
        self._log = folder / "log"
        self._configuration = folder / "pgbouncer.ini"
        everything = {
            "listen_addr": "127.0.0.1",
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "any",
            "default_pool_size": 10,
            **settings,
        }
        lines = ["[databases]", f"* = host=127.0.0.1 port={postgres.port} user={USER}", "[pgbouncer]"]
        lines += [f"{name} = {value}" for name, value in everything.items()]
        self._configuration.write_text("\n".join(lines) + "\n")
        # It refuses to run as root, and becomes who it is told once it has read its configuration.
        self._command = [program, *(["-u", "nobody"] if os.geteuid() == 0 else []), str(self._configuration)]
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        """Return the address of *database* through the pool."""
        return f"postgres://{USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it and return once it takes connections."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while not self._takes_connections():
            assert self._process.poll() is None, self._log.read_text(errors="replace")
            assert time.monotonic() < deadline, "PgBouncer did not start"
            time.sleep(0.01)

    def stop(self) -> None:
        """End it at once, which closes its connections on both sides."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def _takes_connections(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False


@contextmanager
def running_pgbouncer(postgres: Postgres, *, pool_mode: str, **settings: object) -> Iterator[PgBouncer]:
    """Start a PgBouncer in front of *postgres*; stop it at the end. Skips the test where there is none.

    *pool_mode* is ``session``, ``transaction`` or ``statement``; *settings* are further lines of its configuration.
    Under CI the test fails instead of being skipped.
    """
    executable = program("pgbouncer")
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as folder:
        bouncer = PgBouncer(executable, Path(folder), postgres, {"pool_mode": pool_mode, **settings})
        bouncer.start()
        try:
            yield bouncer
        finally:
            bouncer.stop()
