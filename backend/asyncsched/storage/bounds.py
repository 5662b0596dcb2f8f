"""No call to the database lasts for ever: connections of the scheduler's own that wait for nothing too long.

Drivers limit how long connecting takes. What none of them limits is PostgreSQL's client waiting for
an answer from a network, or a proxy, that swallows everything; such a wait is cut off from outside,
by shutting down a twin of the connection's socket. The twin is made by the thread that owns the
connection: elsewhere the descriptor might belong to another file already.
"""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.utils import DEFAULT_DB_ALIAS

from asyncsched.storage.pooling import is_pooled

# What the server is to do with a session whose client is slow, frozen or gone: in milliseconds, the keep-alives in
# seconds. A frozen client would keep what it has locked; an unreachable one its session, and the lock that goes by it.
PATIENT = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
WATCHFUL = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
IDLE = 8  # times as long as a statement may take, a session may be idle: both are used far more often
SET = """
    SELECT set_config(name, wanted, false)
    FROM unnest(%s::text[], %s::text[]) AS limits (name, wanted) JOIN pg_settings USING (name)
"""


class BoundedConnection:
    """This thread's default connection, closed at first, for work that waits for nothing longer than *seconds*."""

    def __init__(self, seconds: float, *, on_statement: Callable[[], None] = lambda: None) -> None:
        self.is_pooled = False
        """True if it ends at a pooler, which may hand the session to others between two transactions."""
        self._seconds = seconds
        self._on_statement = on_statement
        self._twin: socket.socket | None = None
        self._connection = connections[DEFAULT_DB_ALIAS]
        self._connection.close()
        limited = _LIMITED.get(self._connection.vendor, _unlimited)
        options = limited(dict(self._connection.settings_dict["OPTIONS"]), seconds)
        self._connection.settings_dict = {**self._connection.settings_dict, "OPTIONS": options}
        connection_created.connect(self._opened)
        self._connection.execute_wrappers.append(self._execute)

    @property
    def can_be_cut_off(self) -> bool:
        """True if ``cut_off`` has something to end."""
        return self._twin is not None

    def cut_off(self) -> None:
        """End the wait that goes on, from any thread; in the connection's own an OperationalError is raised."""
        twin = self._twin
        if twin is not None:
            with suppress(OSError):  # it has ended by itself
                twin.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it for good, in its own thread."""
        connection_created.disconnect(self._opened)
        self._connection.execute_wrappers.remove(self._execute)
        self._let_go_of_twin()
        connections.close_all()

    def _opened(self, connection: BaseDatabaseWrapper, **_: object) -> None:
        if connection is not self._connection or connection.vendor != "postgresql":
            return
        self._let_go_of_twin()
        self._twin = socket.socket(fileno=os.dup(connection.connection.fileno()))
        self.is_pooled = is_pooled(connection)
        if not self.is_pooled:  # else it would limit others
            milliseconds = round(self._seconds * 1000)
            limits = dict.fromkeys(PATIENT, str(milliseconds)) | {"idle_session_timeout": str(IDLE * milliseconds)}
            limits |= WATCHFUL
            with connection.cursor() as cursor:
                cursor.execute(SET, [list(limits), list(limits.values())])
                with suppress(DatabaseError):  # a server on Windows refuses it
                    cursor.execute(SET, [["client_connection_check_interval"], ["500"]])

    def _execute(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self._on_statement()
        return execute(*arguments)

    def _let_go_of_twin(self) -> None:
        if self._twin is not None:
            self._twin.close()
            self._twin = None


def _unlimited(options: dict[str, Any], seconds: float) -> dict[str, Any]:
    return options


def _postgresql(options: dict[str, Any], seconds: float) -> dict[str, Any]:
    options.pop("pool", None)  # a session of its own: a pool's connection changes hands
    return {"connect_timeout": max(2, round(seconds))} | options  # in whole seconds, from 2 up


def _mysql(options: dict[str, Any], seconds: float) -> dict[str, Any]:
    whole = max(1, round(seconds))
    return {"connect_timeout": whole, "read_timeout": whole, "write_timeout": whole} | options


def _sqlite(options: dict[str, Any], seconds: float) -> dict[str, Any]:
    return options | {"timeout": min(seconds, options.get("timeout", seconds))}


_LIMITED = {"postgresql": _postgresql, "mysql": _mysql, "sqlite": _sqlite}
