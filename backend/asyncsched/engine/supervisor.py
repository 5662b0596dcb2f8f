"""Owns every coroutine of the scheduler: starts them, keeps them, drains them."""

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial

from asyncsched.engine import events, machine
from asyncsched.engine.boundary import Boundary
from asyncsched.engine.context import Health
from asyncsched.engine.culprits import Culprit
from asyncsched.engine.fanout import Fanout
from asyncsched.engine.keeper import Intensity, Keeper, still_running
from asyncsched.engine.leadership import FOLLOWS, AlwaysLeader, Standing
from asyncsched.engine.loop import ScheduleLoop, Surroundings
from asyncsched.engine.ports import Clock, Executor, Leadership, Listener, Remembered, Store
from asyncsched.engine.progress import State
from asyncsched.engine.recollection import Recollection
from asyncsched.engine.runner import Runner
from asyncsched.engine.running import Running, RunningRun
from asyncsched.engine.stall import StallWatch
from asyncsched.engine.statistics import Statistics
from asyncsched.engine.timers import SharedTimer
from asyncsched.registry import Service, Task

logger = logging.getLogger("asyncsched.supervisor")

CANCEL_PATIENCE = 1.0  # seconds a coroutine may take to act on its cancellation
LEAST_PATIENCE = 0.2  # seconds, however little grace there is
RESIGN_PATIENCE = 1.0  # seconds to let another process lead
CLOSE_PATIENCE = 1.0  # seconds to let go of a store that cannot be used
LAST_WRITES = 0.2  # share of the grace kept for cancelling, and for writing down what happened


class Supervisor:
    """One scheduler. ``start`` it on the loop it is to live on, and ``drain`` it once."""

    def __init__(  # noqa: PLR0913 - these are the ports, each passed by its name
        self,
        tasks: Iterable[Task],
        services: Iterable[Service] = (),
        *,
        clock: Clock,
        store: Store,
        executor: Executor,
        listeners: Iterable[Listener] = (),
        leadership: Leadership | None = None,
        intensity: Intensity | None = None,
        stall_watch: StallWatch | None = None,
    ) -> None:
        self._tasks = {task.name: task for task in tasks}
        self._services = tuple(services)
        self._clock = clock
        self._store = store
        self._executor = executor
        self._leadership = leadership or AlwaysLeader()
        self._standing = FOLLOWS
        self._intensity = intensity or Intensity()
        self._statistics = Statistics()
        self.listeners = tuple(listeners)
        self._running = Running(Fanout(self.listeners))
        self._listener = Fanout((self._statistics, self._running, *self.listeners))
        self._stall_watch = stall_watch
        stall_of = stall_watch.stall_of if stall_watch else None
        self._runner = Runner(
            clock, executor, health=self.health, on_progress=self._running.reported, stall_of=stall_of
        )
        self._loops: dict[str, ScheduleLoop] = {}
        self._keepers: list[Keeper] = []
        self._draining = False
        self._timer: SharedTimer | None = None
        self._recollection = Recollection(
            self._tasks,
            self._loops,
            store=store,
            clock=clock,
            listener=self._listener,
            standing=lambda: self._standing,
        )

    @property
    def tasks(self) -> Mapping[str, Task]:
        """The tasks by name."""
        return self._tasks

    @property
    def draining(self) -> bool:
        """True from the moment the drain began."""
        return self._draining

    @property
    def quarantined(self) -> tuple[str, ...]:
        """Names of the tasks and services whose coroutine kept ending and now waits for another try."""
        return tuple(keeper.name for keeper in self._keepers if keeper.quarantined)

    def health(self) -> Health:
        """Return how the scheduler fares at this moment."""
        return Health(
            leader=self._leadership.standing.leads and bool(self._keepers) and not self._draining,
            tasks=sum(not task.is_own for task in self._tasks.values()),
            running=len(self._running),
            failing=len(self._statistics.failing),
            lateness_p99=self._statistics.lateness_p99(),
        )

    def state(self, name: str) -> State:
        """Return what the task *name* is doing here; ``stopped`` before the start."""
        return self._loops[name].state if name in self._loops else State.STOPPED

    def running(self) -> tuple[RunningRun, ...]:
        """Return what runs in this process, and how far it is, the oldest first."""
        return self._running.runs()

    async def start(self) -> None:
        """Start one coroutine per schedule and service.

        Raises ConfigurationError if the store is not set up. If it merely does not answer, the
        scheduler starts all the same: an alarm must not wait for a database to boot.
        """
        services = [service for service in self._services if service.enabled_when is None or service.enabled_when()]
        has_begun = False
        try:
            remembered = await self._recollection.load()
            await self._leadership.join()
            has_begun = True
        finally:
            if not has_begun:
                await self._leadership.leave(CLOSE_PATIENCE)
                await self._store.close(CLOSE_PATIENCE)
        if self._stall_watch:
            self._stall_watch.start(self._listener.stalled)
        self._standing = self._leadership.standing
        now = self._clock.now()
        self._timer = SharedTimer()
        around = Surroundings(
            clock=self._clock,
            timer=self._timer,
            store=self._store,
            runner=self._runner,
            listener=self._listener,
            leadership=self._leadership,
            is_draining=self._is_draining,
        )
        self._keep("clock watch", self._watch_clock)  # first: no step after *now* must escape it
        with garbage_left_alone():
            self._begin(now, remembered, around)
        if not self._recollection.is_set(now):
            logger.error(
                "the clock shows %s, which cannot be right: daily and cron schedules wait until it is set",
                now.isoformat(timespec="seconds"),
                extra={"action": "clock_not_set"},
            )
        self._recollection.follow_up(remembered)
        for service in services:
            self._keep(service.name, service.function, partial(_serving, service))
        self._keep("store watch", self._recollection.watch)
        self._keep("leadership watch", self._watch_leadership)
        logger.info(
            "started; schedules: %d, services: %d",
            len(self._loops),
            len(services),
            extra={"action": "started"},
        )

    def _begin(self, now: datetime, remembered: Mapping[str, Remembered], around: Surroundings) -> None:
        is_set = self._recollection.is_set(now)
        for task in self._tasks.values():
            past = remembered.get(task.name, Remembered())
            progress = machine.begin(
                task,
                past.cursor,
                now,
                failures=past.failures,
                paused=past.paused,
                standing=self._standing,
                is_set=is_set,
            )
            self._loops[task.name] = loop = ScheduleLoop(task, progress, around)
            self._keep(task.name, loop.run, loop.planning)

    async def drain(self, grace: float) -> None:
        """Stop: nothing new starts, what runs gets *grace* seconds in all, then it is cut off and recorded so.

        Returns within *grace*, and a little for what refuses to be cancelled. May be called twice.
        """
        if self._draining:
            return
        self._draining = True
        began = self._clock.monotonic()
        self._runner.ask_to_stop()
        for loop in self._loops.values():
            loop.give_up_claims()
            loop.wake()
        await self._leadership.leave(min(RESIGN_PATIENCE, max(LEAST_PATIENCE, grace * LAST_WRITES / 2)))
        for keeper in self._keepers:
            if keeper.resting or keeper.name not in self._loops:
                keeper.cancel()
        left = max(0.0, grace * (1 - LAST_WRITES) - (self._clock.monotonic() - began))
        await self._wait_for_runs(left, min(CANCEL_PATIENCE, grace * LAST_WRITES / 2))
        self._runner.give_up()
        await self._executor.close(LEAST_PATIENCE)
        left = max(0.0, grace - (self._clock.monotonic() - began))
        await self._store.close(left)
        if self._timer:
            self._timer.stop()
        if self._stall_watch:
            self._stall_watch.stop()
        logger.info("drained in %.1f s", self._clock.monotonic() - began, extra={"action": "drained"})

    def cut_off(self) -> None:
        """Let a drain that is under way wait no longer: whatever runs is cancelled now."""
        for keeper in self._keepers:
            keeper.cancel()

    async def _wait_for_runs(self, patience: float, last_patience: float) -> None:
        late = await still_running(self._keepers, patience)
        for keeper in late:
            logger.warning("%s: still running after %.1f s, cut off", keeper.name, patience)
            keeper.cancel()
        for keeper in await still_running(late, last_patience):
            logger.error("%s: refuses to be cancelled, left behind", keeper.name)

    def _is_draining(self) -> bool:
        return self._draining

    def _keep(
        self, name: str, start: Callable[[], Awaitable[None]], culprit: Callable[[], Culprit] | None = None
    ) -> None:
        keeper = Keeper(
            name,
            start,
            clock=self._clock,
            listener=self._listener,
            intensity=self._intensity,
            is_draining=self._is_draining,
            culprit=culprit,
        )
        self._keepers.append(keeper)
        keeper.start()

    async def _watch_clock(self) -> None:
        while True:
            step = await self._clock.stepped()
            logger.warning(
                "the wall clock stepped by %+.1f s: looking at every schedule again",
                step,
                extra={"action": "clock_step"},
            )
            now = self._clock.now()
            stepped = events.Stepped(seconds=step, now=now, is_set=self._recollection.is_set(now))
            for loop in self._loops.values():
                loop.note(stepped)
            for loop in self._loops.values():
                loop.wake()
                await asyncio.sleep(0)  # to look over years takes milliseconds, and there may be a thousand

    async def _watch_leadership(self) -> None:
        while True:
            standing = await self._leadership.changed(self._standing)
            for loop in self._loops.values():
                loop.tell(events.Followed())  # also before another term: nothing is carried over into it
            remembered = await self._recollection.load() if standing.leads else {}
            if standing.leads:
                self._lead(standing, remembered)
            self._standing = standing  # only now: should this be restarted in between, all are told again
            self._recollection.report_unknown(remembered)

    def _lead(self, standing: Standing, remembered: Mapping[str, Remembered]) -> None:
        now = self._clock.now()
        for name, loop in self._loops.items():
            past = remembered.get(name, Remembered())
            with Boundary() as boundary:
                loop.tell(events.Led(now=now, cursor=past.cursor, failures=past.failures, since=standing.since))
            if boundary.error:
                logger.error("%s: cannot be led", name, exc_info=boundary.error)


def _serving(service: Service) -> Culprit:
    return Culprit(name=f"service {service.name}", task=service.name)


@contextmanager
def garbage_left_alone() -> Iterator[None]:
    """What is made inside the block stays: to look through it for garbage again and again takes half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
