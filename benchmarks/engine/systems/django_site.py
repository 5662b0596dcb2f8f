"""A Django project for one child process, and the databases it may have."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command

SQLITE_OPTIONS = {  # as `make run` has them
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    "transaction_mode": "IMMEDIATE",
    "timeout": 5,
}


def set_up(*apps: str, database: dict[str, Any]) -> None:
    """Set Django up, once in a process."""
    settings.configure(
        INSTALLED_APPS=list(apps),
        DATABASES={"default": database},
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()


def migrate(*apps: str, database: dict[str, Any]) -> None:
    """Set Django up on an empty *database* and make its tables."""
    set_up(*apps, database=database)
    call_command("migrate", verbosity=0)


@contextmanager
def sqlite() -> Iterator[dict[str, Any]]:
    """Lend a file for SQLite."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        name = str(Path(folder) / "db.sqlite3")
        yield {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": SQLITE_OPTIONS}


@contextmanager
def postgres() -> Iterator[dict[str, Any]]:
    """Start a PostgreSQL server with one database, and stop it at the end."""
    from tests.support.postgres import running_postgres  # noqa: PLC0415 - only where it is wanted

    with running_postgres() as server:
        server.create_database("bench")
        yield {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "bench",
            "USER": "postgres",
            "HOST": "127.0.0.1",
            "PORT": server.port,
        }


DATABASES = {"sqlite": sqlite, "postgres": postgres}
