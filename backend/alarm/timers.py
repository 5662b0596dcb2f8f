"""The alarm's timers, driven by its row: they outlive the process, and any replica will do.

Every replica watches; which of them makes the change is decided by the lock on the row. The thread
is one of its own, since the one that Django's async calls share may be busy when time is up.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from django.db import Error, connections
from django.utils import timezone

from alarm import arming
from alarm.board import board

logger = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds; what another replica does is noticed no later
PATIENCE = 5.0  # seconds a look may take; a connection whose other end has died says nothing for a quarter of an hour


async def keep(*, patience: float = PATIENCE) -> None:
    """Make every change that is due, as soon as it is due, until cancelled. A database that is away is waited for."""
    loop = asyncio.get_running_loop()
    thread = _new_thread()
    is_away = False
    try:
        while True:
            until: datetime | None = None
            error: Exception | None = None
            try:
                # Not wait_for: in Python 3.11 it loses a cancellation that comes together with the answer.
                async with asyncio.timeout(patience):
                    until = await loop.run_in_executor(thread, look)
            except TimeoutError as timeout:
                error = timeout
                _let_go(thread)
                thread = _new_thread()
            except Error as failure:
                error = failure
            is_away = _log_outage(error, was_away=is_away)
            await board.timers.wait(rest(until, timezone.now()))
    finally:
        _let_go(thread)


def look() -> datetime | None:
    """Make the change that is due, if one is, and put the alarm on the board; return when the next one is due."""
    try:
        status = arming.current()
        if status.until and status.until <= timezone.now():
            # None: another replica was faster.
            status = arming.elapse(timezone.now()) or arming.current()
        return board.learn(status).until
    except Error:
        connections.close_all()  # it may be broken; the next look opens another
        raise


def rest(until: datetime | None, now: datetime) -> float:
    """Return the seconds to wait until the next look."""
    return LOOK_EVERY if until is None else min(LOOK_EVERY, max(0.0, (until - now).total_seconds()))


def _new_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="alarm-timers")


def _let_go(thread: ThreadPoolExecutor) -> None:
    """Have it end, and close its connection, when it is through with what it does; it may hang in that for long."""
    thread.submit(connections.close_all)
    thread.shutdown(wait=False)


def _log_outage(error: Exception | None, *, was_away: bool) -> bool:
    """Log where an outage begins or ends; return whether there is one."""
    if error and not was_away:
        # The kind only: the text of some database errors repeats the statement.
        logger.error("alarm timers: outage: %s", type(error).__name__, extra={"action": "outage_began"})
    elif was_away and not error:
        logger.info("alarm timers: the database works again", extra={"action": "outage_ended"})
    return error is not None
