"""Is there a pooler between us and PostgreSQL that hands the session to others between two transactions?

Then nothing that belongs to a session may be relied on: no advisory lock, no setting.
"""

import os
import socket
import uuid

from django.db.backends.base.base import BaseDatabaseWrapper

PROBE = "asyncsched.probe"


def is_pooled(connection: BaseDatabaseWrapper, own: socket.socket) -> bool:
    """Return whether *connection*, an open one to PostgreSQL by the socket *own*, shares its session with others.

    Who reaches the server by the very port that it left from has nothing in between. Else a second
    connection looks whether it finds what the first has left behind.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT inet_client_port()")
        (port,) = cursor.fetchone()
    if own.family in (socket.AF_INET, socket.AF_INET6) and own.getsockname()[1] == port:
        return False
    token = uuid.uuid4().hex
    other = connection.copy()
    try:
        _leave(connection, token)
        with other.cursor() as cursor:
            cursor.execute("SELECT current_setting(%s, true)", [PROBE])
            (found,) = cursor.fetchone()
        return bool(found == token)
    finally:
        other.close()
        _leave(connection, "")


def twin_of(connection: BaseDatabaseWrapper) -> socket.socket:
    """Return another handle of the socket that *connection*, an open one to PostgreSQL, goes by."""
    return socket.socket(fileno=os.dup(connection.connection.fileno()))


def _leave(connection: BaseDatabaseWrapper, token: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, false)", [PROBE, token])
