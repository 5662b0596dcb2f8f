"""The database in the middle: what differs between PostgreSQL and SQLite, as far as the harness is concerned."""

import re
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import psycopg

from tests.chaos.records import Row
from tests.support.postgres import Postgres, execute, running_postgres

Rows = list[tuple[Any, ...]]
UNREACHABLE = (psycopg.OperationalError, sqlite3.OperationalError)

_LOCKS = Path("/proc/locks")
_WRITE_LOCK = 120  # the byte of the -shm file that is locked by who writes, see sqlite.org/walformat.html
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEASE = "SELECT term, holder FROM asyncsched_lease WHERE name = 'scheduler'"
_HISTORY = 'SELECT run_id, task, scheduled_for, attempt, status, replica, "count", term FROM asyncsched_taskrun'


class Database(Protocol):
    """One database, seen by the harness past all proxies."""

    server: Postgres | None
    """The server to be disturbed; None for a file."""

    def url(self, port: int | None) -> str:
        """Return the DATABASE_URL of a replica, by way of the proxy on *port* if there is one."""

    def query(self, sql: str) -> Rows:
        """Return the rows of one statement. Raises one of UNREACHABLE."""

    def is_barred_by(self, pid: int) -> bool:
        """True if nobody can write before process *pid* has gone on."""


class PostgresDatabase:
    """A database of its own in a PostgreSQL that is running."""

    def __init__(self, server: Postgres) -> None:
        self.server: Postgres | None = server
        self._url = server.create_database("chaos")
        self._port = server.port
        # The server of the tests may forget what it has just committed when it crashes. A claim that
        # is forgotten is one that is granted twice, so here it may not.
        execute(self._url, "ALTER DATABASE chaos SET synchronous_commit = on")

    def url(self, port: int | None) -> str:
        return self._url.replace(f":{self._port}/", f":{port or self._port}/")

    def query(self, sql: str) -> Rows:
        with psycopg.connect(self._url, autocommit=True, connect_timeout=2) as connection:
            return connection.execute(sql).fetchall()

    def is_barred_by(self, pid: int) -> bool:
        return False  # the server ends the transactions of clients that sleep

    def terminate_sessions(self, replica: str) -> int:
        """Close every session of *replica* from the server's side; return how many there were."""
        sql = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{replica}'"
        return len(self.query(sql))


class SqliteDatabase:
    """A file in *folder*."""

    server: Postgres | None = None

    def __init__(self, folder: Path) -> None:
        self._file = folder / "db.sqlite3"

    def url(self, port: int | None) -> str:
        return f"sqlite:///{self._file}"

    def query(self, sql: str) -> Rows:
        with closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=5)) as connection:
            return connection.execute(sql).fetchall()

    def is_barred_by(self, pid: int) -> bool:
        """Ask the kernel who has the write lock of the write-ahead log; where it does not tell, nobody has."""
        index = self._file.with_name(f"{self._file.name}-shm")
        if not (_LOCKS.exists() and index.exists()):
            return False
        lock = re.compile(rf"POSIX +ADVISORY +WRITE +{pid} +\w+:\w+:{index.stat().st_ino} +{_WRITE_LOCK} ")
        return bool(lock.search(_LOCKS.read_text()))


@contextmanager
def provided(name: str, folder: Path) -> Iterator[PostgresDatabase | SqliteDatabase]:
    """Provide a new database, ``postgres`` or ``sqlite``, for the length of the block."""
    if name == "sqlite":
        yield SqliteDatabase(folder)
        return
    with running_postgres() as server:
        yield PostgresDatabase(server)


def lease(database: Database) -> tuple[int, int | None] | None:
    """Return the term, and the pid of who holds it; None before the first. Raises one of UNREACHABLE."""
    rows = database.query(_LEASE)
    return (rows[0][0], _pid(rows[0][1])) if rows else None


def history(database: Database) -> tuple[Row, ...]:
    """Return every row of history."""
    return tuple(
        Row(
            run_id=uuid.UUID(str(run_id)).hex,
            task=task,
            due=_microseconds(due),
            attempt=attempt,
            status=status,
            pid=_pid(replica) or 0,
            count=count,
            term=term,
        )
        for run_id, task, due, attempt, status, replica, count, term in database.query(_HISTORY)
    )


def _pid(replica: str) -> int | None:
    """Return the process id in ``host:pid:incarnation``; None if nobody is named."""
    return int(replica.rsplit(":", 2)[1]) if replica else None


def _microseconds(moment: datetime | str) -> int:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)
