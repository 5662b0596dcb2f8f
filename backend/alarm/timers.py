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


async def keep() -> None:
    """Make every change that is due, as soon as it is due, until cancelled. A database that is away is waited for."""
    loop = asyncio.get_running_loop()
    thread = ThreadPoolExecutor(1, thread_name_prefix="alarm-timers")
    is_away = False
    try:
        while True:
            try:
                until = await loop.run_in_executor(thread, look)
            except Error as error:
                until = None
                if not is_away:
                    # The kind only: the text of some database errors repeats the statement.
                    logger.error("alarm timers: outage: %s", type(error).__name__, extra={"action": "outage_began"})  # noqa: TRY400
                is_away = True
            else:
                if is_away:
                    logger.info("alarm timers: the database works again", extra={"action": "outage_ended"})
                is_away = False
            await board.timers.wait(rest(until, timezone.now()))
    finally:
        # Not awaited: the thread may hang in the very call that was cut off.
        thread.submit(connections.close_all)
        thread.shutdown(wait=False)


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
