"""SQLite locked by somebody else, and SQLite without a byte of room: seen, said, and got over."""

import sqlite3
import statistics
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.conftest import Site, StartSite
from tests.support.servers import DAPHNE

pytestmark = pytest.mark.e2e

TASKS = ("tick", "writes_database", "tells_much")
LATE = 0.5  # seconds; what waits for the database would be late for as long as that is away
WRITTEN_AGAIN = "history is written again"
MOST_PAGES = 400


def _assert_all_is_well_again(site: Site) -> None:
    site.server.wait_until_logged(WRITTEN_AGAIN)
    site.wait_for_notes("writes_database", count=2)
    site.server.wait_until(lambda: site.state()["health"]["failing"] == 0)
    assert site.server.log.count("history cannot be written") == 1
    assert site.server.log.count(WRITTEN_AGAIN) == 1
    assert site.server.stop() == 0
    # Every run of the outage is in history, though nothing could be written while it lasted.
    assert [status for status, _ in site.runs("tells_much")] == ["succeeded"] * len(site.ledger("tells_much"))
    lateness = [line["at"] - line["due"] for line in site.ledger("tick", "tells_much")]
    assert statistics.quantiles(lateness, n=10, method="inclusive")[-1] < LATE  # but for when the machine stood still
    assert site.server.leaks == []


def test_a_database_that_is_locked_is_reported_once_and_history_is_made_up_for(start: StartSite) -> None:
    site = start(DAPHNE, *TASKS, E2E_DATABASE_TIMEOUT="0.5")
    site.wait_for_notes("writes_database", count=2)
    with closing(sqlite3.connect(site.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        site.server.wait_until_logged("history cannot be written (OperationalError: database is locked)")
        site.server.wait_until(lambda: site.state()["health"]["failing"] == 1)
        site.wait_for_notes("tick", count=4)
        assert site.server.get().status == 200
        other.execute("ROLLBACK")
    _assert_all_is_well_again(site)
    assert ("failed", "OperationalError: database is locked") in site.runs("writes_database")


def test_a_full_disk_is_reported_once_and_history_is_made_up_for(start: StartSite) -> None:
    site = start(DAPHNE, *TASKS, E2E_PRAGMAS=f"PRAGMA max_page_count={MOST_PAGES};")
    site.wait_for_notes("writes_database", count=2)
    _fill(site.database)
    site.server.wait_until_logged("history cannot be written (OperationalError: database or disk is full)")
    site.server.wait_until(lambda: site.state()["health"]["failing"] == 1)
    site.wait_for_notes("tick", count=4)
    assert site.server.get().status == 200
    _make_room(site.database)
    _assert_all_is_well_again(site)
    assert ("failed", "OperationalError: database or disk is full") in site.runs("writes_database")


def _fill(database: Path) -> None:
    """Take every page the server's connections may have; they get SQLite's own word for a full disk."""
    with closing(sqlite3.connect(database, timeout=10)) as other, other:
        other.execute("CREATE TABLE ballast (data BLOB)")
        other.execute("INSERT INTO ballast VALUES (zeroblob(?))", [MOST_PAGES * 4096])


def _make_room(database: Path) -> None:
    with closing(sqlite3.connect(database, timeout=10)) as other, other:
        other.execute("DELETE FROM ballast")


def test_a_server_told_to_stop_while_its_database_is_locked_ends_in_time_and_says_what_is_lost(
    start: StartSite,
) -> None:
    site = start(DAPHNE, "tells_much", E2E_DATABASE_TIMEOUT="0.5", E2E_GRACE="2")
    site.wait_for_notes("tells_much", count=2)
    with closing(sqlite3.connect(site.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        site.wait_for_notes("tells_much", count=2)
        assert site.server.stop() == 0
    assert "what was not written yet is lost" in site.server.log
    assert site.server.leaks == []
