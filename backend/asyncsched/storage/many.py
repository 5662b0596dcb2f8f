"""Many rows with one statement, and no model instance for each: those take most of the time, and the GIL with it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Model
from django.db.models.constants import OnConflict


def insert(model: type[Model], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert *rows*, values by column as the driver takes them; leave out those that are there."""
    if rows:
        ignore = connection.ops.on_conflict_suffix_sql([], OnConflict.IGNORE, [], [])
        _insert(model, rows, connection.ops.insert_statement(OnConflict.IGNORE), ignore)


def merge(
    model: type[Model], keys: Sequence[str], rows: Sequence[Mapping[str, Any]], changes: Mapping[str, str]
) -> None:
    """Insert *rows*; of one whose *keys* are there set the columns *changes* to SQL made of ``new`` and ``old``."""
    if rows:
        unique = ", ".join(map(_quoted, keys))
        is_mysql = connection.vendor == "mysql"
        conflict = "ON DUPLICATE KEY UPDATE" if is_mysql else f"ON CONFLICT ({unique}) DO UPDATE SET"
        sets = ", ".join(f"{_quoted(column)} = {sql}" for column, sql in changes.items())
        _insert(model, rows, "INSERT INTO", f"{conflict} {sets}")


def new(column: str) -> str:
    """Return in SQL what *column* is in the row that was to be inserted."""
    return f"VALUES({_quoted(column)})" if connection.vendor == "mysql" else f"EXCLUDED.{_quoted(column)}"


def old(model: type[Model], column: str) -> str:
    """Return in SQL what *column* is in the row that is there."""
    return f"{_quoted(model._meta.db_table)}.{_quoted(column)}"


def _insert(model: type[Model], rows: Sequence[Mapping[str, Any]], verb: str, conflict: str) -> None:
    columns = list(rows[0])
    into = f"{verb} {_quoted(model._meta.db_table)} ({', '.join(map(_quoted, columns))})"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A list for each column: with a placeholder for each value the driver takes twice as long.
            lists = ", ".join(f"(%s)::{_type(model, column)}[]" for column in columns)
            values = [[row[column] for row in rows] for column in columns]
            cursor.execute(f"{into} SELECT * FROM unnest({lists}) {conflict}", values)  # noqa: S608 - names of ours
        else:
            places = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"{into} VALUES ({places}) {conflict}", [tuple(row.values()) for row in rows])


def _type(model: type[Model], column: str) -> str:
    # Without its length: what is too long is to be refused, and not cut off.
    return str(model._meta.get_field(column).db_type(connection)).partition("(")[0]


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
