"""What the store remembers of the tasks, and what it hears of them from outside, passed on to their loops."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from asyncsched.engine import events
from asyncsched.engine.leadership import Standing
from asyncsched.engine.loop import ScheduleLoop
from asyncsched.engine.outage import Outage
from asyncsched.engine.ports import Clock, Listener, Remembered, Requests, Store
from asyncsched.engine.runs import Settled, Skipped, SkipReason
from asyncsched.errors import StoreUnavailable
from asyncsched.policy import Scope
from asyncsched.registry import Task

logger = logging.getLogger("asyncsched.supervisor")

STORE_RETRY = 1.0  # seconds between two questions to a store that does not answer
REQUEST_LASTS = timedelta(minutes=5)  # so old, a request that nobody has seen yet surprises more than it helps
NOTHING = Remembered()


class Recollection:
    """Asks *store* about *tasks* on behalf of their *loops*, which come to be later. *standing* is the process's."""

    def __init__(
        self,
        tasks: Mapping[str, Task],
        loops: Mapping[str, ScheduleLoop],
        *,
        store: Store,
        clock: Clock,
        listener: Listener,
        standing: Callable[[], Standing],
    ) -> None:
        self._tasks = tasks
        self._loops = loops
        self._store = store
        self._clock = clock
        self._listener = listener
        self._standing = standing
        self._is_complete = False
        self._requests: Requests | None = None  # as of the last look
        self._paused: frozenset[str] | None = None  # as the loops were told
        self._accepted: dict[str, datetime] = {}  # those for runs that were seen in time
        self._reruns = any(task.options.rerun_abandoned for task in tasks.values())
        self._outage = Outage(logger, began="store_unavailable", ended="store_available")

    def is_set(self, moment: datetime) -> bool:
        """False if *moment* is before any that a clock can show that has been set."""
        return moment >= self._clock.earliest

    async def load(self) -> Mapping[str, Remembered]:
        """Return what is remembered, nothing if the store does not answer. Raises ConfigurationError."""
        try:
            remembered = await self._store.load(self._tasks.values())
        except StoreUnavailable as error:
            self._outage.failed(
                "history is unavailable (%s): going on without it, and catching up when the database answers", error
            )
            self._is_complete = False
            return {}
        self._is_complete = True
        return self._believed(remembered)

    def follow_up(self, remembered: Mapping[str, Remembered]) -> None:
        """The loops know what is *remembered*: now let the store know what it did not."""
        if self._is_complete:
            self._remember_first_starts(remembered)
        self.report_unknown(remembered)

    def report_unknown(self, remembered: Mapping[str, Remembered]) -> None:
        """Say which tasks ran before and are not known here, where all are to run: why did they not?"""
        if not self._leads():
            return
        for name in sorted(remembered.keys() - self._tasks.keys()):
            skipped = Skipped(task=name, scheduled_for=self._clock.now(), reason=SkipReason.UNKNOWN_TASK)
            self._store.skip(skipped)
            self._listener.occurrences_skipped(skipped)

    async def watch(self) -> None:
        """Pass on what people pause, resume and ask for, and what dead processes have left, for ever."""
        while True:
            try:
                if not self._is_complete:
                    self._recall(self._believed(await self._store.load(self._tasks.values())))
                requests = await self._store.next_requests()
                abandoned = await self._store.abandoned() if self._reruns and self._leads() else ()
                await self._take_over()
            except StoreUnavailable as error:
                self._outage.failed("the database does not answer: %s", error)
                await asyncio.sleep(STORE_RETRY)
                continue
            self._outage.worked("the database answers again")
            self._pass_on(requests)
            for occurrence in abandoned:
                again = events.Abandoned(occurrence=occurrence, now=self._clock.now())
                self._loops[occurrence.task].tell(again)

    async def _take_over(self) -> None:
        """Attend to what other processes have handed off and left."""
        standing = self._standing()
        if standing.leads:
            for claim in await self._store.take_over(term=standing.term):
                self._loops[claim.occurrence.task].take_over(claim)

    def _leads(self) -> bool:
        return self._standing().leads

    def _pass_on(self, requests: Requests) -> None:
        self._pass_on_pauses(requests.paused)
        now = self._clock.now()
        accepted = {name: at for name, at in requests.asked.items() if self._is_accepted(name, at, now)}
        self._accepted = accepted
        for name, at in accepted.items():
            loop = self._loops[name]
            if self._leads() or loop.task.options.scope is Scope.REPLICA:
                loop.tell(events.Asked(at=at, now=now))
        before, self._requests = self._requests, requests
        if not self._leads():
            return
        for name in requests.asked.keys() - accepted.keys():
            self._expire(name, requests.asked[name], now)
        if before is not None and before != requests:
            self._listener.requests_changed()

    def _pass_on_pauses(self, paused: frozenset[str]) -> None:
        changed = self._loops.keys() if self._paused is None else self._loops.keys() & (self._paused ^ paused)
        self._paused = paused
        for name in changed:
            self._loops[name].set_paused(value=name in paused)

    def _is_accepted(self, name: str, asked_at: datetime, now: datetime) -> bool:
        """True if the run is to take place, however long its task is busy: it was seen here in time."""
        return name in self._loops and (self._accepted.get(name) == asked_at or now - asked_at <= REQUEST_LASTS)

    def _expire(self, name: str, asked_at: datetime, now: datetime) -> None:
        if now - asked_at <= REQUEST_LASTS:
            return  # a process that knows the task may yet begin it
        logger.warning(
            "%s: the run that was asked for at %s is dropped, nobody could begin it within %d minutes",
            name,
            asked_at.isoformat(timespec="seconds"),
            REQUEST_LASTS.total_seconds() / 60,
            extra={"action": "request_expired", "task": name},
        )
        self._store.expire(name, asked_at)
        self._listener.occurrences_skipped(Skipped(task=name, scheduled_for=asked_at, reason=SkipReason.MISFIRE))

    def _believed(self, remembered: Mapping[str, Remembered]) -> Mapping[str, Remembered]:
        """What was written while the clock was not set yet tells nothing of how far a task has come."""
        if not self.is_set(self._clock.now()):
            return remembered
        return {
            name: past if past.cursor is None or self.is_set(past.cursor) else replace(past, cursor=None)
            for name, past in remembered.items()
        }

    def _recall(self, remembered: Mapping[str, Remembered]) -> None:
        """What earlier processes left has become known only now."""
        self._is_complete = True
        self._paused = None
        for name, loop in self._loops.items():
            past = remembered.get(name, NOTHING)
            loop.set_paused(value=past.paused)
            loop.tell(events.Recalled(cursor=past.cursor, failures=past.failures))
        self.follow_up(remembered)

    def _remember_first_starts(self, remembered: Mapping[str, Remembered]) -> None:
        """From now on missed occurrences count, even if the task never runs in the life of this process."""
        for name, loop in self._loops.items():
            if remembered.get(name, NOTHING).cursor is None:
                self._store.settle(Settled(task=name, until=loop.progress.cursor))
