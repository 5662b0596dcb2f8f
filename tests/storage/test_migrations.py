"""Upgrade and rollback on a database that holds history."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from asyncsched.models import TaskRun, TaskSkip
from tests.storage.test_past import run, skip
from tests.support.databases import default_database
from tests.support.postgres import Postgres


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'test.sqlite3')}"


@pytest.fixture
def postgres_url(migrated_postgres: Postgres) -> Iterator[str]:
    yield migrated_postgres.create_database("to_migrate")
    migrated_postgres.drop_database("to_migrate")


@pytest.fixture(params=["sqlite", "postgres"])
def filled(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[None]:
    """A database of this test's own, with runs and skips in it."""
    url = request.getfixturevalue(f"{request.param}_url")
    with django_db_blocker.unblock(), default_database(url):
        TaskRun.objects.bulk_create([run("a", minute, stall_seconds=0.5, stall_where="x") for minute in range(2_000)])
        TaskSkip.objects.bulk_create([skip("a", minute) for minute in range(2_000)])
        yield


def migrate(*target: str) -> None:
    call_command("migrate", "asyncsched", *target, verbosity=0)


def columns(table: str) -> set[str]:
    with connection.cursor() as cursor:
        return {column.name for column in connection.introspection.get_table_description(cursor, table)}


def test_back_and_forward_again_leaves_every_run(filled: None) -> None:
    before = columns("asyncsched_taskrun")
    migrate("0001")
    assert {"stall_seconds", "stall_where"} & columns("asyncsched_taskrun") == set()
    assert "asyncsched_taskskip" not in connection.introspection.table_names()
    migrate()
    assert columns("asyncsched_taskrun") == before
    assert TaskRun.objects.filter(stall_seconds=None, task="a").count() == 2_000


def test_an_older_version_that_still_runs_can_write_runs(filled: None) -> None:
    """It knows nothing of the columns that came since, so it leaves them out."""
    row = run("older", 0)
    known = {f.column: f.get_db_prep_save(getattr(row, f.attname), connection) for f in TaskRun._meta.concrete_fields}
    for later in ("id", "stall_seconds", "stall_where"):
        del known[later]
    with connection.cursor() as cursor:
        names = ", ".join(f'"{name}"' for name in known)
        cursor.execute(
            f"INSERT INTO asyncsched_taskrun ({names}) VALUES ({', '.join(['%s'] * len(known))})", [*known.values()]
        )
    assert TaskRun.objects.get(task="older").stall_where is None
