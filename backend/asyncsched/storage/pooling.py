"""Is there a pooler between us and PostgreSQL, which may hand the session to others between two transactions?

Then nothing that belongs to a session may be relied on: no advisory lock, no setting.
"""

from django.db.backends.base.base import BaseDatabaseWrapper


def is_pooled(connection: BaseDatabaseWrapper) -> bool:
    """Return whether *connection*, an open one to PostgreSQL, ends at a pooler.

    With the handshake a client is told a number, by which it could have its statements cancelled. A
    server tells that of the process it has started for it. A pooler has none yet and makes one up.
    One that pools by session says so too, although it would keep a lock: who is wrong does without it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (actual,) = cursor.fetchone()
    driver = connection.connection
    told = driver.info.backend_pid if hasattr(driver, "info") else driver.get_backend_pid()
    return bool(told != actual)
