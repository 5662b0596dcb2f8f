"""The database's clock: the one time that all processes of a deployment can ask for."""

from datetime import UTC, datetime

from django.db import connection

_NOW = {"postgresql": "SELECT clock_timestamp()", "mysql": "SELECT UTC_TIMESTAMP(6)"}


def is_shared() -> bool:
    """True if the database has a clock of its own; SQLite's is the machine's."""
    return connection.vendor in _NOW


def database_now() -> datetime:
    """Return the time by the database's clock, aware, in UTC."""
    if not is_shared():
        return datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute(_NOW[connection.vendor])
        now: datetime = cursor.fetchone()[0]
    return now.replace(tzinfo=UTC) if now.tzinfo is None else now.astimezone(UTC)
