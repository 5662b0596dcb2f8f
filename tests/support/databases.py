"""Pointing Django at another database for the length of a test, in every thread."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connections
from environ import Env


@contextmanager
def default_database(url: str, *, migrate: bool = True, **options: object) -> Iterator[None]:
    """Make *url* the default database inside the block, migrated, with nothing left open afterwards."""
    previous = connections.settings["default"]
    _point_at(connections.configure_settings({"default": Env.db_url_config(url) | {"OPTIONS": options}})["default"])
    try:
        if migrate:
            call_command("migrate", verbosity=0)
        yield
    finally:
        _point_at(previous)


def _point_at(settings: dict[str, object]) -> None:
    connections.close_all()
    connections.settings["default"] = settings
    if connections.all(initialized_only=True):
        del connections["default"]
