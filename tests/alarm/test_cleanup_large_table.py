"""A clean-up of a large table never locks out a web request."""

import json
from pathlib import Path

import pytest

from tests.support import django_process

SCRIPT = Path(__file__).with_name("clean_while_writing.py")
LONGEST_WAIT = 0.5  # seconds; a request that waits longer feels broken, and SQLite gives up after 5


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request, tmp_path):
    """An empty, migrated database: a file in WAL mode, or one on a PostgreSQL server."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
        django_process.migrate(url)
        yield url
    else:
        server = request.getfixturevalue("postgres")
        yield server.create_database("large", template=request.getfixturevalue("pristine"))
        server.drop_database("large")


def figures(rows, database_url, timeout):
    return json.loads(django_process.output_of(SCRIPT, str(rows), database_url=database_url, timeout=timeout))


def check(found, rows):
    assert found["deleted"] == rows
    assert found["left"] == found["written"] > 100
    assert found["longest_wait"] < LONGEST_WAIT


def test_a_writer_hardly_waits_while_150_000_events_are_deleted(database_url):
    found = figures(150_000, database_url, timeout=100)

    check(found, 150_000)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_writer_hardly_waits_while_a_million_events_are_deleted(database_url):
    found = figures(1_000_000, database_url, timeout=800)

    check(found, 1_000_000)
