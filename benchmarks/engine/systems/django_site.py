"""A Django project for one child process."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
import environ
from django.conf import settings
from django.core.management import call_command

from benchmarks.databases import database

SQLITE_OPTIONS = {  # as `make run` has them
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    "transaction_mode": "IMMEDIATE",
    "timeout": 5,
}


def set_up(app: str, options: dict[str, Any]) -> None:
    """Set Django up, once in a process, on the database that *options* describe."""
    settings.configure(
        INSTALLED_APPS=[app],
        DATABASES={"default": options},
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()


@contextmanager
def migrated(app: str, kind: str) -> Iterator[None]:
    """Set Django up on an empty database, ``sqlite`` or ``postgres``, with the tables of *app*."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, database(kind, Path(folder)) as url:
        options = dict(environ.Env.db_url_config(url))  # type: ignore[no-untyped-call]
        if kind == "sqlite":
            options["OPTIONS"] = SQLITE_OPTIONS
        set_up(app, options)
        call_command("migrate", verbosity=0)
        yield
