"""System checks: what ``manage.py check`` and every start say about the scheduler's set-up.

asyncsched.E001  settings.ASYNCSCHED has an unknown key or a bad value
asyncsched.E002  a task names an executor that is not known, cannot be imported, or is not meant for it
asyncsched.W001  the database connection ends at a pooler (asked with ``check --database default`` only)
"""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's name for it
from django.db import DatabaseError, connections
from django.db.utils import DEFAULT_DB_ALIAS

from asyncsched import conf
from asyncsched.executors import configured
from asyncsched.registry import registry
from asyncsched.storage.pooling import is_pooled


def check_settings(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Name every unknown key and bad value in settings.ASYNCSCHED."""
    return [
        Error(f"settings.ASYNCSCHED[{key!r}] {reason}", hint="See docs/reference/settings.md.", id="asyncsched.E001")
        for key, reason in conf.problems()
    ]


def check_executors(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Name every task that cannot be handed off to the executor that it names."""
    if conf.problems():
        return []  # said by the other check
    return [
        Error(problem, hint="See docs/howto/hand-off.md.", id="asyncsched.E002")
        for problem in configured.problems(registry, conf.load())
    ]


def check_pooler(
    app_configs: Sequence[Any] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Warn of a pooler in front of PostgreSQL: where sessions are shared, the leader can hold no lock by its own."""
    connection = connections[DEFAULT_DB_ALIAS]
    if DEFAULT_DB_ALIAS not in (databases or ()) or connection.vendor != "postgresql":
        return []
    try:
        connection.ensure_connection()
        if not is_pooled(connection):
            return []
    except DatabaseError:
        return []  # that the database is away is for others to say
    return [
        Warning(
            "The database connection ends at a pooler, which may hand the session to others: the leader is elected by "
            "the lease row alone, without the session lock.",
            hint="Give it a direct connection if you want both. See docs/howto/replicas.md.",
            id="asyncsched.W001",
        )
    ]
