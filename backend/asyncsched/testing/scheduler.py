"""The scheduler in virtual time, for tests to drive."""

from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from django.conf import settings

from asyncsched import conf
from asyncsched.engine.simulated import Rule
from asyncsched.engine.simulation import Span, simulate
from asyncsched.engine.virtual import Runs
from asyncsched.errors import UnknownTask
from asyncsched.registry import Task, registry
from asyncsched.storage.memory import MemoryStore
from asyncsched.testing.process import Journal, Process
from asyncsched.testing.time import VirtualTime

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


class VirtualScheduler:
    """Runs tasks as production does, in a time that passes only in ``run`` and ``stop``, and then at once.

    Between those calls time stands still, for the code of the test as for everybody else: from the
    first ``start`` on, ``datetime.now()`` and ``timezone.now()`` show virtual time. Functions really
    run, in the thread of the test: an ``async def`` may wait as it likes, a plain ``def`` takes no
    time at all.

    The pytest fixture ``scheduler`` is one; elsewhere use it in a ``with`` statement.
    """

    def __init__(self) -> None:
        self._store = MemoryStore()
        self._journal = Journal()
        self._tasks: tuple[Task, ...] = ()
        self._time: VirtualTime | None = None
        self._process: Process | None = None
        self._told = (0, 0)  # how many runs and skips were returned already, or are the end's own

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.kill()
        if self._time is not None:
            self._time.end()
            self._time = None

    @property
    def now(self) -> datetime:
        """The virtual time, in UTC."""
        return self._begun().now

    @property
    def runs(self) -> Runs:
        """All runs that have ended so far, and what was skipped."""
        return self._journal.since(0, 0)

    def start(self, *tasks: str | Task, at: datetime | None = None) -> None:
        """Start the scheduler with *tasks*; with all that are registered if none are named.

        The first start begins virtual time at *at* (aware; by default New Year 2026). A later one
        starts the same tasks again, unless others are named, with what is remembered of them.
        """
        if self._process is not None:
            raise RuntimeError("the scheduler is running: stop() or kill() it before it can start again")
        if at is not None and self._time is not None:
            raise RuntimeError("time has begun already: let it pass with run(until=...) instead of start(at=...)")
        if tasks or not self._tasks:
            self._tasks = resolved(tasks)
        if self._time is None:
            self._time = VirtualTime(_aware(at or NEW_YEAR))
        self._time.do(self._start(self._time.now))

    def run(
        self,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        until: datetime | None = None,
    ) -> Runs:
        """Let time pass, and return the runs that ended since the last ``run`` or the start.

        What is due at the very end is done. While the scheduler is stopped, time passes and nothing runs.
        """
        length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if until is not None:
            if length:
                raise ValueError("run() takes either a length of time or until=..., not both")
            length = _aware(until) - self.now
        if length < timedelta(0):
            raise ValueError(f"time cannot pass by {length}: to set the clock back, use step_clock()")
        self._begun().run_for(length)
        runs = self._journal.since(*self._told)
        self._told = self._journal.length
        return runs

    def stop(self, grace: float = 10.0) -> None:
        """Stop the scheduler as SIGTERM does: what runs gets *grace* seconds to finish, which pass."""
        self._end(self._running().supervisor.drain(grace))

    def kill(self) -> None:
        """End the scheduler without a word, as a power cut does: what was running is ``abandoned``."""
        self._end(self._running().kill())

    def pause(self, *tasks: str) -> None:
        """Pause tasks, as ``async_tasks pause`` does."""
        self._refuse_unknown(tasks)
        self._store.pause(*tasks)

    def resume(self, *tasks: str) -> None:
        """Resume tasks, as ``async_tasks resume`` does."""
        self._refuse_unknown(tasks)
        self._store.resume(*tasks)

    def trigger(self, task: str) -> None:
        """Ask for a run of *task*, as *Run now* on the live page does: now, or after the run that is going on."""
        self._refuse_unknown((task,))
        self._store.ask(task, self.now)

    def step_clock(self, by: timedelta) -> None:
        """Set the wall clock forward *by* so much, or back if it is below zero, as ``date -s`` does."""
        self._begun().step(by)
        if self._process is not None:
            self._process.clock.set_back(-by.total_seconds())

    @staticmethod
    def simulate(
        *tasks: str | Task,
        start: datetime,
        end: datetime,
        outages: Iterable[Span] = (),
        pauses: Mapping[str, Iterable[Span]] | None = None,
        steps: Iterable[tuple[datetime, timedelta]] = (),
        takes: Mapping[str, timedelta] | None = None,
        fails: Mapping[str, Rule] | None = None,
    ) -> Runs:
        """Return what would run from *start* to *end*, without calling a function; see ``engine.simulation``.

        It needs no ``start()`` and takes milliseconds for a month. Tasks are named as in ``start``. A
        run succeeds at once, unless *takes* or *fails* say otherwise.
        """
        return simulate(
            resolved(tasks), start, end, outages=outages, pauses=pauses, steps=steps, takes=takes, fails=fails
        )

    async def _start(self, now: datetime) -> None:
        self._process = Process(self._tasks, now=now, store=self._store, journal=self._journal)
        await self._process.supervisor.start()

    def _end(self, ending: Coroutine[Any, Any, None]) -> None:
        self._begun().do(ending)
        self._process = None
        self._told = self._journal.length

    def _begun(self) -> VirtualTime:
        if self._time is None:
            raise RuntimeError("time has not begun: start() the scheduler first")
        return self._time

    def _running(self) -> Process:
        if self._process is None:
            raise RuntimeError("the scheduler is not running: start() it first")
        return self._process

    def _refuse_unknown(self, names: tuple[str, ...]) -> None:
        known = [task.name for task in self._tasks]
        for name in names:
            if name not in known:
                raise UnknownTask(f"no task {name!r} takes part; those that do: {', '.join(known) or 'none'}")


def resolved(tasks: tuple[str | Task, ...]) -> tuple[Task, ...]:
    """Return the registered tasks, or those named, in the project's time zone where they name none.

    Raises UnknownTask.
    """
    named = [registry.get(task) if isinstance(task, str) else task for task in tasks] or list(registry)
    zone = conf.load().time_zone if settings.configured else "UTC"
    return tuple(replace(task, schedule=task.schedule.in_zone(zone)) for task in named)


def _aware(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment!r} has no time zone: pass an aware datetime, such as datetime(..., tzinfo=UTC)")
    return moment
