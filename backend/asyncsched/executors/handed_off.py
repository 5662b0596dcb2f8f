"""Runs that workers carry out: handed to an engine's broker, watched through the database, and left to who leads next.

The engine only brings the order to a worker. That a run starts at most once, that its worker lives
and how it ended stands in our own table, so that it is known whatever becomes of broker and result
backend: see ``models.HandOff`` and ``worker``.
"""

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar, TypeVar

from asyncsched.engine.context import Run
from asyncsched.engine.outage import Outage
from asyncsched.engine.ports import LEFT, Left
from asyncsched.engine.runner import describe
from asyncsched.engine.runs import Outcome, RunStatus, Trigger
from asyncsched.errors import ConfigurationError, ScheduleError, StillRunning, StoreUnavailable
from asyncsched.executors.configured import Setup
from asyncsched.executors.delivery import Delivery
from asyncsched.executors.lookout import Lookout
from asyncsched.executors.order import Order
from asyncsched.executors.threads import Answer, in_thread
from asyncsched.policy import Overlap, backoff
from asyncsched.registry import Task
from asyncsched.storage import handoffs
from asyncsched.storage.handoffs import Seen
from asyncsched.storage.thread import DatabaseThread

logger = logging.getLogger("asyncsched.handoff")

BEAT = 5.0
"""Seconds between two signs of life of a worker, unless ``OPTIONS["beat"]`` says otherwise."""
DOUBTFUL = 2
"""Beats for which a worker has not been heard of, until its engine is asked."""
DEAD = 12
"""Beats for which a worker has not been heard of, until it is taken for dead."""
LEAST_FOR_MANUAL = timedelta(hours=1)
"""What somebody asked for waits at least so long for a worker, also if the next occurrence comes before."""
LOOKS = 5
"""How often per beat the database is looked at."""

UNWANTED = Outcome(status=RunStatus.FAILED, error="cut off while it waited for a free worker")
"""What who takes a run over finds, if it was cut off and nobody could record that."""

Value = TypeVar("Value")


class HandedOffExecutor(ABC):
    """What executors have in common whose engine brings an order to a worker."""

    outlives: ClassVar[bool] = True
    options: ClassVar[frozenset[str]] = frozenset()
    """The names that ``OPTIONS`` may have, besides ``beat``."""

    def __init__(self, setup: Setup) -> None:
        if unknown := sorted(setup.options.keys() - self.options - {"beat"}):
            known = ", ".join(sorted({"beat", *self.options}))
            raise ConfigurationError(f"OPTIONS has {unknown[0]!r}, which is no option; known are {known}")
        beat = setup.options.get("beat", BEAT)
        if not isinstance(beat, int | float) or not beat > 0:
            raise ConfigurationError(f"OPTIONS['beat'] must be a number of seconds above 0, but is {beat!r}")
        self.beat = float(beat)
        self._setup = setup
        self._is_closed = False
        self._revoking: set[asyncio.Future[Answer[None]]] = set()
        self._thread = DatabaseThread(name=f"asyncsched-{setup.name}")
        self._lookout = Lookout(self._thread, setup.replica, every=self._look_every)
        self._broker = Outage(logger, began="send_failed", ended="sent_again")
        self._overdue: dict[str, dict[str, _Silence]] = {}  # by task and run
        self._asked: dict[str, asyncio.Future[Answer[Outcome | None]]] = {}  # of the engine, which has not answered yet
        self._database = Outage(logger, began="handoff_waits", ended="handoff_goes_on")

    @abstractmethod
    def send(self, order: Order, *, expires_at: datetime | None) -> None:
        """Bring *order* to a worker, which is to do nothing with it after *expires_at*; raise whatever prevents that.

        Called in a thread of its own. It may take as long as it likes, and may come for a run again.
        """

    def revoke(self, order: Order) -> None:  # noqa: B027 - not every engine can
        """End the run where it goes on, if the engine can. Called like ``send``."""

    def verdict(self, run_id: str) -> Outcome | None:
        """Return how the run ended by what the engine knows, None if it does not. Called like ``send``.

        It is asked only while the worker itself is silent; what it raises counts as None.
        """
        return None

    async def execute(self, task: Task, run: Run) -> Any:
        run.waiting_for = "free worker"
        if run.began_at is None:
            await self._offer(task, run)
        run.outlives = True
        if run.is_left:  # the drain began while it was offered, or taken over
            self._leave(run)
            return LEFT
        order = Order.of(task, run, log_lines=self._setup.log_lines)
        since = run.began_at or datetime.now(UTC)
        try:
            return await self._attend(run, self._delivery(task, order, since, is_sent=run.began_at is not None))
        except asyncio.CancelledError:
            said = await self._let_go(run, order)
            if said is None:
                raise
            return said

    async def close(self, patience: float) -> None:
        self._is_closed = True
        if self._revoking:
            await asyncio.wait(self._revoking, timeout=patience)
        await self._lookout.close()
        await self._thread.stop(lambda: None, patience)

    @property
    def _look_every(self) -> float:
        return self.beat / LOOKS

    async def _offer(self, task: Task, run: Run) -> None:
        if task.options.overlap is not Overlap.ALLOW:
            await self._outlast_overdue(task)
        offer = partial(handoffs.offer, run.id, task=task.name, executor=self._setup.name, owner=self._setup.replica)
        await self._ask(offer, undo=lambda _: handoffs.take_back(run.id))

    async def _outlast_overdue(self, task: Task) -> None:
        """Return once no worker has an earlier run of *task* that is over its time; raise StillRunning if one lives.

        If it is cut off before it knows, as by a timeout, the next call knows how long the silence lasts.
        """
        silences, is_first = self._overdue.setdefault(task.name, {}), True
        while overdue := await self._ask(partial(handoffs.overdue, task.name)):
            for run_id, beats in overdue.items():
                silence = silences.setdefault(run_id, _Silence(beats))
                if silence.is_broken_by(beats) and not is_first:
                    raise StillRunning("an earlier run is over its time and its worker has not ended it yet")
                await self._end_if_dead(run_id, silence)
            is_first = False
            await asyncio.sleep(self._look_every)
        self._overdue.pop(task.name, None)

    def _delivery(self, task: Task, order: Order, since: datetime, *, is_sent: bool) -> Delivery:
        expires_at = _expiry(task, order.trigger, since)
        ends = [since + timedelta(seconds=order.timeout)] if order.timeout else []
        useless_at = min([*ends, expires_at] if expires_at else ends, default=None)
        return Delivery(
            task.name,
            partial(self.send, order, expires_at=useless_at),
            expires_at=expires_at,  # that it is over its time, whoever called ``execute`` tells
            is_sent=is_sent,
            again_after=DEAD * self.beat,
            outage=self._broker,
        )

    async def _attend(self, run: Run, delivery: Delivery) -> Any:
        """Wait for the end of *run*, whatever happens meanwhile."""
        silence = _Silence(0, most=2 * self._look_every)
        while True:
            seen = await self._lookout.next(run.id)
            if seen is None:
                return LEFT
            _show(run, seen)
            outcome = seen.outcome
            if outcome is None and not seen.worker:
                outcome = await self._deliver(run, delivery)
            elif outcome is None and not silence.is_broken_by(seen.beats):
                outcome = await self._end_if_dead(run.id, silence)
            if outcome is not None:
                return outcome

    async def _deliver(self, run: Run, delivery: Delivery) -> Outcome | None:
        """See to it that a worker picks *run* up in time; return the outcome if none has."""
        if not delivery.is_over:
            delivery.go_on()
            return None
        verdict = await self._verdict(run.id)
        said = f" ({self._setup.name}: {verdict.error})" if verdict else ""
        outcome = Outcome(status=RunStatus.FAILED, error=delivery.failure + said)
        seen = await self._ask(partial(self._withdraw, run.id, outcome=outcome))
        return seen.outcome if seen else None

    async def _end_if_dead(self, run_id: str, silence: "_Silence") -> Outcome | None:
        """End the run if its worker is dead, as the engine knows or a long silence tells; return the outcome then."""
        if silence.seconds < DOUBTFUL * self.beat:
            return None
        outcome = await self._verdict(run_id)
        if outcome is None and silence.seconds >= DEAD * self.beat:
            outcome = Outcome(status=RunStatus.ABANDONED, error="its worker ended without a word")
        if outcome is None:
            return None
        has_ended = await self._ask(partial(handoffs.end_silent, run_id, outcome, beats=silence.beats))
        return outcome if has_ended else None

    async def _verdict(self, run_id: str) -> Outcome | None:
        """Return what the engine knows of the run; None if nothing, or if it has not answered yet."""
        asked, within = self._asked.pop(run_id, None), 0.0
        if asked is None:
            asked = in_thread(partial(self.verdict, run_id), f"asyncsched-{self._setup.name}-verdict")
            within = DOUBTFUL * self.beat
        done, _ = await asyncio.wait((asked,), timeout=within)
        if not done:
            self._asked[run_id] = asked
            return None
        return asked.result().value

    async def _let_go(self, run: Run, order: Order) -> Outcome | Left | None:
        """Attend to *run* no more: leave it to the next process that leads, or else end it.

        Return what has become of it if that is too late: it has ended, or is another process's.
        """
        try:
            return None if run.is_left or self._is_closed else await self._end(run, order)
        finally:
            if run.is_left:  # also if the drain begins while the database is away
                self._leave(run)

    async def _end(self, run: Run, order: Order) -> Outcome | Left | None:
        seen = await self._ask(partial(self._withdraw, run.id))
        if seen is None:
            return LEFT
        _show(run, seen)
        if not seen.worker:
            return None
        if seen.outcome is None:
            self._overdue.setdefault(run.task, {})[run.id] = _Silence(seen.beats)
            revoked = in_thread(partial(self.revoke, order), f"asyncsched-{self._setup.name}-revoke")
            revoked.add_done_callback(partial(_told_of_revoking, order))
            self._revoking.add(revoked)
            revoked.add_done_callback(self._revoking.discard)
        return seen.outcome

    def _leave(self, run: Run) -> None:
        self._thread.do(partial(handoffs.leave, [run.id], self._setup.replica))

    def _withdraw(self, run_id: str, outcome: Outcome = UNWANTED) -> Seen | None:
        return handoffs.withdraw(run_id, outcome, owner=self._setup.replica)

    async def _ask(self, question: Callable[[], Value], undo: Callable[[Value], None] | None = None) -> Value:
        """Return the database's answer, however long it is away."""
        while True:
            try:
                answer = await self._thread.call(question, undo)
            except StoreUnavailable as error:
                self._database.failed("%s: the database does not answer: %s", self._setup.name, error)
                await asyncio.sleep(backoff(self._database.failures, first=1.0, most=30.0))
            else:
                self._database.worked("%s: the database answers again", self._setup.name)
                return answer


class FormerExecutor(HandedOffExecutor):
    """Waits for runs that an earlier version of the code has handed off, of tasks that this one does not hand off."""

    def send(self, order: Order, *, expires_at: datetime | None) -> None:
        raise ConfigurationError("its task is not handed off any more, and its message has not come to a worker yet")


class _Silence:
    """For how many seconds a worker has not been heard of. While we could not hear, it has not been silent."""

    def __init__(self, beats: int, *, most: float = float("inf")) -> None:
        self.beats = beats
        self.seconds = 0.0
        self._most = most  # between two looks, if the database has answered each
        self._looked_at = time.monotonic()

    def is_broken_by(self, beats: int) -> bool:
        """Take in what a look has shown; return True if the worker was heard of since the one before."""
        before, self._looked_at = self._looked_at, time.monotonic()
        if beats != self.beats:
            self.beats, self.seconds = beats, 0.0
            return True
        self.seconds += min(self._looked_at - before, self._most)
        return False


def _expiry(task: Task, trigger: Trigger, since: datetime) -> datetime | None:
    """Return from when on a run is not to begin any more: its task's next occurrence takes its place."""
    try:
        return task.schedule.next_after(since + LEAST_FOR_MANUAL if trigger is Trigger.MANUAL else since)
    except ScheduleError:  # there is none
        return None


def _show(run: Run, seen: Seen) -> None:
    if seen.worker:
        run.waiting_for = None
    if seen.done is not None and (seen.done, seen.total) != run.done_of_total:
        run.progress(seen.done, seen.total)


def _told_of_revoking(order: Order, revoked: asyncio.Future[Answer[None]]) -> None:
    if not revoked.cancelled() and (error := revoked.result().error):
        extra = {"action": "revoke_failed", "task": order.task, "run": order.run_id}
        logger.warning("%s: its run cannot be ended where it goes on: %s", order.task, describe(error), extra=extra)
