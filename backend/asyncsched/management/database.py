"""Why the database did not do what it was asked, and the way out, in one line."""

from django.db import DEFAULT_DB_ALIAS, connections
from django.db import Error as AnyDatabaseError
from django.db.migrations.executor import MigrationExecutor

from asyncsched.errors import StoreUnavailable
from asyncsched.management.tables import one_line

_START_IT = "start it, or correct settings.DATABASES"


def why_it_failed(error: AnyDatabaseError | StoreUnavailable) -> str:
    """Return what *error* says and what to do about it; asks the database whether it lacks a migration."""
    reason = " ".join(one_line(str(error)).split())  # PostgreSQL tells it in several lines
    if isinstance(error, StoreUnavailable) and error.__cause__ is None:  # its time was over: it may take as long again
        return f"{reason}: {_START_IT}"
    connection = connections[DEFAULT_DB_ALIAS]
    connection.close()  # what is broken would stay broken
    try:
        executor = MigrationExecutor(connection)
        targets = [key for key in executor.loader.graph.leaf_nodes() if key[0] == "asyncsched"]
        is_behind = bool(executor.migration_plan(targets))
    except AnyDatabaseError:
        return f"{reason}: the database does not answer; {_START_IT}"
    return f"{reason}: run 'manage.py migrate'" if is_behind else f"{reason}: trying again may help"
