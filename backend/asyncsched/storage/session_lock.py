"""PostgreSQL's session advisory lock: nobody else leads while the leader's session lives and is used.

It belongs to one connection, and is gone with it. All of this is for the thread of the election.
"""

import logging
from collections.abc import Callable
from typing import Protocol

from django.db import connection

logger = logging.getLogger("asyncsched.election")

SPACE = 0x61737963  # the upper half of the key, "asyc"; the lower is the lease table, so that schemas do not collide
TABLE = "'asyncsched_lease'::regclass::oid"
LOCKS = f"""
    FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND classid = {SPACE} AND objid = {TABLE}
      AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""  # noqa: S608 - of constants, as all below
HOLDS = f"SELECT EXISTS (SELECT 1 {LOCKS} AND pid = pg_backend_pid())"
TAKE = f"SELECT pg_try_advisory_lock(({SPACE}::bigint << 32) | {TABLE}::bigint)"
RELEASE = f"SELECT pg_advisory_unlock(({SPACE}::bigint << 32) | {TABLE}::bigint)"
END_SILENT = f"""
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid IN (SELECT pid {LOCKS}) AND pid <> pg_backend_pid()
      AND clock_timestamp() - state_change > make_interval(secs => %s)
"""  # noqa: S608


class Guard(Protocol):
    """What has to be held besides the lease row."""

    def take(self) -> bool:
        """Return True if it is held now, by this session."""

    def end_silent_holder(self, silence: float) -> bool:
        """Take it from a session that has not been used for *silence* seconds, by the database's clock, if it may."""

    def release(self) -> None:
        """Let others have it."""


class NoGuard:
    """Where the row decides alone."""

    def take(self) -> bool:
        return True

    def end_silent_holder(self, silence: float) -> bool:
        return False  # there is nothing to take

    def release(self) -> None:
        """There is nothing to let go."""


class SessionLock:
    """The lock. That it is held is asked each time and never remembered.

    *is_pooled* tells whether the session is a pooler's: then it protects nobody, and is not taken.
    """

    def __init__(self, is_pooled: Callable[[], bool]) -> None:
        self._is_pooled = is_pooled
        self._is_void = False

    def take(self) -> bool:
        if self._is_void or self._holds():
            return True
        if not self._is_pooled():
            if not _answer(TAKE):
                return False
            if self._holds():
                return True
        self._is_void = True
        logger.warning(
            "the database connection ends at a pooler, which may hand the session to others: the lease row decides "
            "alone who leads, without the session lock",
            extra={"action": "pooled"},
        )
        return True

    def end_silent_holder(self, silence: float) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(END_SILENT, [silence])
            ended = any(done for (done,) in cursor.fetchall())
        if ended:
            logger.warning("ended the database session of a leader that hangs", extra={"action": "session_ended"})
        return ended

    def release(self) -> None:
        if not self._is_void and self._holds():
            _answer(RELEASE)

    def _holds(self) -> bool:
        return _answer(HOLDS)


def _answer(question: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return bool(cursor.fetchone()[0])


def guard(is_pooled: Callable[[], bool]) -> Guard:
    """Return what is to be held on this thread's connection besides the lease row."""
    return SessionLock(is_pooled) if connection.vendor == "postgresql" else NoGuard()
