"""One look at the database for all runs that are handed off: every so often, and none while there are none."""

import asyncio
import logging
from collections.abc import Collection
from contextvars import Context
from functools import partial

from django.db import connections

from asyncsched.engine.boundary import Boundary
from asyncsched.engine.outage import Outage
from asyncsched.engine.runner import describe
from asyncsched.storage import handoffs
from asyncsched.storage.handoffs import Seen
from asyncsched.storage.thread import DatabaseThread

logger = logging.getLogger("asyncsched.handoff")

AT_ONCE = 0.05
"""Of the time between two looks: after the first one, and after one that shows that a run was picked up.

Many runs are short. From then on the time doubles.
"""


class Lookout:
    """Looks in *thread*, every *every* seconds, how the runs stand that *owner* waits for."""

    def __init__(self, thread: DatabaseThread, owner: str, *, every: float) -> None:
        self._thread = thread
        self._owner = owner
        self._every = every
        self._waiting: dict[str, asyncio.Future[Seen | None]] = {}
        self._known: dict[str, str] = {}  # by whom they were picked up, as of the last look
        self._has_new = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._outage = Outage(logger, began="handoffs_unseen", ended="handoffs_seen")

    async def next(self, run_id: str) -> Seen | None:
        """Return what the next look shows of the run, which may be long in an outage; None if another waits for it."""
        found: asyncio.Future[Seen | None] = asyncio.get_running_loop().create_future()
        self._waiting[run_id] = found
        if run_id not in self._known:
            self._has_new.set()
        if self._looking is None or self._looking.done():
            # In a context of its own: it works for all runs, and outlives this one.
            self._looking = asyncio.create_task(self._look_around(), name="asyncsched lookout", context=Context())
        try:
            return await found
        finally:
            if self._waiting.get(run_id) is found:
                del self._waiting[run_id]

    async def close(self) -> None:
        """Look no more. May be called twice."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait((self._looking,))

    async def _look_around(self) -> None:
        pause = self._every
        while self._waiting:
            self._has_new.clear()
            is_news = await self._look(tuple(self._waiting))
            pause = self._every * AT_ONCE if is_news else min(2 * pause, self._every)
            try:
                async with asyncio.timeout(pause):
                    await self._has_new.wait()
            except TimeoutError:
                continue
        self._known = {}
        self._thread.do(connections.close_all)  # a server would end a session that idles for long

    async def _look(self, run_ids: Collection[str]) -> bool:
        """Look, and tell those who wait; return True if there are runs, or workers, that were not there before."""
        with Boundary() as boundary:
            seen = await self._thread.call(partial(handoffs.look, run_ids, self._owner))
        if boundary.error is not None:
            self._outage.failed("cannot see how handed-off runs go on: %s", describe(boundary.error))
            return False
        self._outage.worked("can see again how handed-off runs go on")
        for run_id in run_ids:
            found = self._waiting.pop(run_id, None)
            if found is not None and not found.done():
                found.set_result(seen.get(run_id))
        before, self._known = self._known, {run_id: run.worker for run_id, run in seen.items()}
        return before != self._known
