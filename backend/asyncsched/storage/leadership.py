"""The engine's Leadership port, kept with a row in the project's database. ``engine.leadership`` tells how and why."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from django.db import DatabaseError, connections

from asyncsched.engine.clock import seconds_since_boot
from asyncsched.engine.leadership import FOLLOWS, LOOP_PATIENCE, Standing
from asyncsched.engine.outage import Outage
from asyncsched.engine.runner import describe
from asyncsched.engine.shared_clock import SharedClock
from asyncsched.errors import StoreUnavailable
from asyncsched.registry import Task
from asyncsched.storage import presence, session_lock
from asyncsched.storage.database_time import database_now, is_shared
from asyncsched.storage.elector import Elector
from asyncsched.storage.thread import ANSWER_WITHIN, DatabaseThread

logger = logging.getLogger("asyncsched.election")

BEAT = 1 / 6  # of the patience with it: so often the event loop says that it goes on
CUT_OFF_CHECK = 1.0  # seconds: so often it looks whether the database keeps the thread waiting, where it can end that
MEASURE_EVERY = 5.0
RETRY = 0.2  # seconds after which a database that did not answer is asked again
PATIENCE = 0.2  # of the lease time: no statement may take longer
FOREVER = 3600.0
UNTOLD = "the database could not be told that this process stops: who leads next waits for the lease to run out"


class Measured(NamedTuple):
    """The shared time was *moment* when the monotonic clock showed *at*, give or take *margin* seconds."""

    moment: datetime
    at: float
    margin: float


class DjangoLeadership:
    """One process in the election. *seconds* is the lease time; *on_company* is called when it first finds another."""

    def __init__(
        self,
        *,
        replica: str,
        tasks: Iterable[Task],
        seconds: float,
        clock: SharedClock,
        version: str,
        on_company: Callable[[], None],
        loop_patience: float = LOOP_PATIENCE,
    ) -> None:
        self._loop_seen = seconds_since_boot()
        self._beat = loop_patience * BEAT
        self._clock = clock
        self._elector = Elector(
            me=replica,
            seconds=seconds,
            now=clock.now,
            guard=session_lock.guard(lambda: self._thread.is_pooled),
            loop_seen=lambda: self._loop_seen,
            loop_patience=loop_patience,
        )
        self._duty = _Duty(self._elector, tuple(tasks), version=version, started_at=clock.now(), tell=self._hear)
        self._thread = DatabaseThread(self._duty, name="asyncsched-election", patience=seconds * PATIENCE)
        self._on_company = on_company
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()
        self._has_left = False
        self._has_met_others = False

    @property
    def standing(self) -> Standing:
        """Whether this process leads, and may be trusted to at this moment."""
        if self._has_left or not self._elector.leads:
            return FOLLOWS
        return self._elector.trust.standing

    async def join(self) -> None:
        """Stand for election; return when it is known for the first time who leads, or the database did not answer."""
        self._loop = asyncio.get_running_loop()
        self._loop_seen = seconds_since_boot()
        try:
            await self._thread.call(self._duty.begin, within=ANSWER_WITHIN)
        except StoreUnavailable as error:
            logger.error("nobody can be elected yet, the database does not answer: %s", error)  # noqa: TRY400

    async def changed(self, known: Standing) -> Standing:
        while True:
            self._loop_seen = seconds_since_boot()
            if (standing := self.standing) != known:
                return standing
            self._news.clear()
            wait = CUT_OFF_CHECK if self._thread.can_be_cut_off else self._beat
            if standing.leads:
                wait = min(wait, max(0.0, self._elector.trust.until - self._loop_seen) + 0.001)
            try:
                async with asyncio.timeout(wait):
                    await self._news.wait()
            except TimeoutError:
                self._thread.interrupt_if_stuck()

    async def leave(self, patience: float) -> None:
        """Lead no more, and let another at once. May be called twice."""
        if self._has_left or self._loop is None:
            return
        self._has_left = True
        if not await self._thread.stop(self._duty.end, patience):
            logger.warning(UNTOLD)

    def _hear(self, measured: Measured | None = None) -> None:
        """In the thread: something was found out, and perhaps what time it is."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop was closed: nobody is left who wants to know
                self._loop.call_soon_threadsafe(self._take_note, measured)

    def _take_note(self, measured: Measured | None) -> None:
        if measured is not None:
            self._clock.tell(measured.moment, measured.at, margin=measured.margin)
        if self._duty.others and not self._has_met_others:
            self._has_met_others = True
            self._on_company()
        self._news.set()


class _Duty:
    """What the thread does, again and again. An outage is said once when it begins and once when it ends."""

    def __init__(
        self,
        elector: Elector,
        tasks: tuple[Task, ...],
        *,
        version: str,
        started_at: datetime,
        tell: Callable[[Measured | None], None],
    ) -> None:
        self.others = presence.Others()
        self._elector = elector
        self._tasks = tasks
        self._known = presence.cluster_tasks(tasks)
        self._version = version
        self._started_at = started_at
        self._tell = tell
        self._look_at = FOREVER
        self._measure_at = 0.0
        self._renew_at = 0.0
        self._had_company = False
        self._has_ended = False
        self._outage = Outage(logger, began="election_unavailable", ended="election_available")
        self._absence = Outage(logger, began="presence_unavailable", ended="presence_available")

    def begin(self) -> None:
        """Do it for the first time, and from now on. Raises what the database does."""
        self._look_at = time.monotonic() + RETRY
        self._do_due()

    def run_due(self) -> float:
        moment = time.monotonic()
        if self._has_ended or self._look_at == FOREVER:
            return FOREVER
        if moment < self._look_at:
            return self._look_at - moment
        try:
            self._do_due()
        except DatabaseError as error:
            self._outage.failed("who leads cannot be found out (%s)", describe(error))
            connections.close_all()
            self._look_at = time.monotonic() + RETRY
            self._tell(None)
        else:
            self._outage.worked("who leads is known again")
        return max(0.0, self._look_at - time.monotonic())

    def end(self) -> None:
        """Resign, and be gone."""
        self._has_ended = True
        try:
            self._elector.resign("the scheduler stops")
            presence.withdraw(self._elector.me)
        except DatabaseError as error:
            logger.warning("%s (%s)", UNTOLD, error)

    def _do_due(self) -> None:
        before = self._elector.trust.standing
        is_well = not self._elector.loop_hangs
        measured = self._measured() if is_well else None
        self._look_at = time.monotonic() + self._elector.look()
        if is_well and self._is_time_to_renew():
            self._renew()
        if measured is not None or self._elector.trust.standing != before:
            self._tell(measured)

    def _measured(self) -> Measured | None:
        """Return what time it is by the database, None if it is not to be asked now."""
        began = time.monotonic()
        if began < self._measure_at or not is_shared():
            return None
        moment = database_now()
        ended = time.monotonic()
        self._measure_at = ended + MEASURE_EVERY
        return Measured(moment, (began + ended) / 2, (ended - began) / 2)

    def _is_time_to_renew(self) -> bool:
        if self._elector.has_company and not self._had_company:
            self._renew_at = 0.0  # who are they?
        self._had_company = self._elector.has_company
        return time.monotonic() >= self._renew_at

    def _renew(self) -> None:
        pause = presence.RENEW_IN_COMPANY
        try:
            self.others = presence.renew(
                self._elector.me,
                version=self._version,
                tasks=self._tasks,
                started_at=self._started_at,
                now=database_now(),
            )
        except DatabaseError as error:
            self._absence.failed("this process cannot write down that it lives (%s)", error)
        else:
            self._absence.worked("this process has written down again that it lives")
            pause = presence.RENEW_IN_COMPANY if self.others or self._had_company else presence.RENEW_ALONE
            self._elector.outdone = self.others.know_more_than(self._known)
            self._elector.give_way()
            self._tell(None)
        self._renew_at = time.monotonic() + pause.total_seconds()
