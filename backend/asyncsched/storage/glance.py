"""A question that is asked again and again, and whose answer seldom changes.

What the ORM does for a small query takes four times as long as the query. So it is compiled once, and
as long as the same rows come back nothing is made of them. SQLite need not even be asked: it tells
whether anybody has written since, from a page of shared memory.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

Answer = TypeVar("Answer")


class Glance(Generic[Answer]):
    """Asks *query*, and has *read* make the answer when other rows come back than last time. For one thread."""

    def __init__(self, query: QuerySet[Any, Any], read: Callable[[], Answer]) -> None:
        self._query = query
        self._compiled: tuple[Any, ...] | None = None
        self._read = read
        self._version: object = None
        self._seen: tuple[list[Any], Answer] | None = None

    def __call__(self) -> Answer:
        """Return the answer as it is now. Raises what the database does."""
        connection = connections[self._query.db]
        version = _version(connection)  # before the rows: what is written in between is seen the next time
        if self._seen is not None and version is not None and version == self._version:
            return self._seen[1]
        if self._compiled is None:
            self._compiled = self._query.query.get_compiler(self._query.db).as_sql()
        with connection.cursor() as cursor:
            cursor.execute(*self._compiled)
            rows = cursor.fetchall()
        if self._seen is None or rows != self._seen[0]:
            self._seen = (rows, self._read())
        self._version = version
        return self._seen[1]


def _version(connection: BaseDatabaseWrapper) -> object:
    """Return what is equal as long as nobody has written to the database; None if it does not tell.

    ``data_version`` is about all other connections, ``total_changes`` about this one.
    """
    if connection.vendor != "sqlite":
        return None
    connection.ensure_connection()
    with connection.wrap_database_errors:
        driver = connection.connection
        return driver, driver.execute("PRAGMA data_version").fetchone(), driver.total_changes
