"""Every store under one roof: what one promises, all keep."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from asyncsched.testing import MemoryStore
from tests.support.databases import default_database
from tests.support.mariadb import MariaDB
from tests.support.postgres import Postgres


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "migrated.sqlite3"
    with django_db_blocker.unblock(), default_database(f"sqlite:///{path}"):
        pass
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres, pristine: str) -> Postgres:
    postgres.create_database("migrated", template=pristine)
    return postgres


@pytest.fixture(scope="session")
def migrated_mariadb(mariadb: MariaDB, django_db_blocker: Any) -> MariaDB:
    from django.core.management import call_command

    with django_db_blocker.unblock(), default_database(mariadb.create_database("migrated"), migrate=False):
        # Other apps' tables take seconds here, and no store looks at them.
        call_command("migrate", "asyncsched", verbosity=0)
    return mariadb


@pytest.fixture
def sqlite_database(migrated_sqlite: Path, tmp_path: Path, django_db_blocker: Any) -> Iterator[Path]:
    path = tmp_path / "test.sqlite3"
    shutil.copy(migrated_sqlite, path)
    # Nobody cuts the power: so no test waits for a disk that others keep busy, and finds the file locked meanwhile.
    pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
    options = {"init_command": pragmas, "transaction_mode": "IMMEDIATE", "timeout": 1}
    with django_db_blocker.unblock(), default_database(f"sqlite:///{path}", migrate=False, **options):
        yield path


@pytest.fixture
def postgres_database(migrated_postgres: Postgres, django_db_blocker: Any) -> Iterator[Postgres]:
    url = migrated_postgres.url("migrated")
    with django_db_blocker.unblock(), default_database(url, migrate=False):
        yield migrated_postgres
        empty_tables()


@pytest.fixture
def mariadb_database(migrated_mariadb: MariaDB, django_db_blocker: Any) -> Iterator[MariaDB]:
    url = migrated_mariadb.url("migrated")
    with django_db_blocker.unblock(), default_database(url, migrate=False):
        yield migrated_mariadb
        empty_tables()


def empty_tables() -> None:
    """Leave nothing of a test in our tables. By DELETE: flush makes anew the files of all tables there are."""
    from django.apps import apps
    from django.db import connection

    with connection.cursor() as cursor:
        for model in apps.get_app_config("asyncsched").get_models():
            cursor.execute(f"DELETE FROM {model._meta.db_table}")


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def database(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(f"{request.param}_database")


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(params=["memory", "sqlite", "postgres", "mariadb"])
def make_store(request: pytest.FixtureRequest) -> Any:
    """A factory of stores on one database: each is another process's."""
    if request.param == "memory":
        memory = MemoryStore()
        return lambda: memory
    request.getfixturevalue(f"{request.param}_database")
    from asyncsched.storage.store import DjangoStore

    return lambda: DjangoStore(now=now)
