"""The service of every process that looks for overdue tasks: ``asyncsched.alerts``, now and then.

It does not believe its first impression. After a time in which it could not look, because the
database was away, the machine slept or its clock was set, tasks first get the time to do what they missed.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from asyncsched.alerts import Survey, survey
from asyncsched.engine.outage import Outage
from asyncsched.errors import StoreUnavailable
from asyncsched.registry import Task
from asyncsched.storage.database_time import database_now
from asyncsched.storage.thread import ANSWER_WITHIN, DatabaseThread

logger = logging.getLogger("asyncsched.alerts")

NAME = "overdue tasks"
LONGEST_PAUSE = 30.0  # seconds between two looks; a task whose window is short is looked at more often
SHORTEST_PAUSE = 0.5
REST = 20  # times the CPU that a look takes: with very many tasks it is not to keep the event loop from Python's lock
LAST_PATIENCE = 0.5  # seconds for a look that goes on when the process stops
Tell = Callable[[Mapping[str, datetime], Iterable[str]], object]
NEVER = datetime.min.replace(tzinfo=UTC)


class Watch:
    """Looks now and then, for as long as the process runs. *tell* hears on the loop, after each look, when which task
    last succeeded and which are overdue.

    *elected* is False where processes tell nobody of themselves: then only the own start is known.
    """

    def __init__(self, tasks: Iterable[Task], *, elected: bool, tell: Tell) -> None:
        self._tasks = tuple(tasks)
        self._tell = tell
        windows = (task.options.alert_after for task in self._tasks)
        shortest = min((window / 2 for window in windows if window), default=LONGEST_PAUSE)
        self._least_pause = min(LONGEST_PAUSE, max(SHORTEST_PAUSE, shortest))
        self._pause = self._least_pause
        self._looked_at = None if elected else NEVER
        self._since: datetime | None = None
        self._outage = Outage(logger, began="alerts_unavailable", ended="alerts_available")

    async def run(self) -> None:
        """The coroutine of the service."""
        thread = DatabaseThread(_Idle(), name="asyncsched-alerts")
        try:
            await asyncio.sleep(SHORTEST_PAUSE)
            while True:
                await self._look_once(thread)
                await asyncio.sleep(self._pause)
        finally:
            await thread.stop(_nothing, LAST_PATIENCE)

    async def _look_once(self, thread: DatabaseThread) -> None:
        try:
            found = await thread.call(self._look)
        except StoreUnavailable as error:
            self._looked_at = self._looked_at or NEVER
            self._outage.failed("whether tasks are overdue cannot be found out: %s", error)
        else:
            self._outage.worked("whether tasks are overdue is known again")
            self._tell(found.last_success_at, [alert.task for alert in found.overdue])

    def _look(self) -> Survey:
        """In the thread."""
        began, now = time.thread_time(), database_now()
        longest = timedelta(seconds=2 * self._pause + ANSWER_WITHIN)  # one look may have failed
        if self._looked_at is not None and not timedelta() <= now - self._looked_at <= longest:
            self._since = now
        found = survey(self._tasks, now=now, since=self._since, is_scheduler_alive=True)
        self._looked_at = now
        self._pause = max(self._least_pause, REST * (time.thread_time() - began))
        return found


class _Idle:
    """There is nothing to do in the thread but what it is asked."""

    def run_due(self) -> float:
        return LONGEST_PAUSE


def _nothing() -> None:
    """The last thing done in the thread."""
