"""Who keeps all others from writing to SQLite's file is known: it may have been stopped in the middle of that."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.database import SqliteDatabase

pytestmark = pytest.mark.skipif(not Path("/proc/locks").exists(), reason="the kernel does not tell who holds a lock")


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "db.sqlite3", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE door (state)")
        yield connection


def test_it_is_the_process_in_the_middle_of_a_transaction(tmp_path: Path, writer: sqlite3.Connection) -> None:
    database = SqliteDatabase(tmp_path)
    writer.execute("BEGIN IMMEDIATE")
    assert database.is_barred_by(os.getpid())
    assert not database.is_barred_by(os.getppid())
    writer.execute("ROLLBACK")
    assert not database.is_barred_by(os.getpid())


def test_who_reads_bars_nobody(tmp_path: Path, writer: sqlite3.Connection) -> None:
    writer.execute("BEGIN")
    writer.execute("SELECT * FROM door").fetchall()
    assert not SqliteDatabase(tmp_path).is_barred_by(os.getpid())
