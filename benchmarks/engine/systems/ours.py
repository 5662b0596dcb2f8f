"""This scheduler: the whole product on a database, as `SchedulerLifespan` starts it, or its engine alone."""

from collections.abc import Iterator
from contextlib import contextmanager

from asyncsched import Every, conf, register
from asyncsched.engine.clock import SystemClock
from asyncsched.engine.runs import RunResult
from asyncsched.engine.shared_clock import SharedClock
from asyncsched.engine.stall import StallWatch
from asyncsched.engine.supervisor import Supervisor
from asyncsched.listeners.logs import LogListener
from asyncsched.policy import History
from asyncsched.storage.memory import MemoryStore
from benchmarks.engine.plan import Plan, System
from benchmarks.engine.systems.django_site import migrated, set_up

TIMEOUT = 30.0  # seconds after which a run would be ended: watching over it is part of the price
GRACE = 20.0  # seconds


class Product(System):
    """Everything is on: election, stall watch, log lines, statistics, metrics, and each task has a timeout."""

    def __init__(self, database: str, history: History | None) -> None:
        self._database = database
        self._history = history  # None: what a schedule below a minute has by default
        self._supervisor: Supervisor | None = None

    @contextmanager
    def prepared(self) -> Iterator[None]:
        with migrated("asyncsched", self._database):
            yield

    async def start(self, plan: Plan) -> None:
        for number, (offset, job) in enumerate(plan.schedules):
            schedule = Every(seconds=plan.period, offset=offset)
            register(f"job_{number}", schedule, timeout=TIMEOUT, history=self._history)(job)
        self._supervisor = self._composed()
        await self._supervisor.start()

    async def stop(self) -> None:
        if self._supervisor:
            await self._supervisor.drain(GRACE)

    def _composed(self) -> Supervisor:
        from asyncsched.server import compose  # noqa: PLC0415 - it needs Django, set up

        return compose.supervisor(conf.load())


class NoStore(Product):
    """The engine without a database: supervision, stall watch, log lines and statistics, and no memory."""

    @contextmanager
    def prepared(self) -> Iterator[None]:
        set_up("asyncsched", {"ENGINE": "django.db.backends.dummy"})
        yield

    def _composed(self) -> Supervisor:
        from asyncsched.server import compose  # noqa: PLC0415 - it needs Django, set up

        settings = conf.load()
        return Supervisor(
            [task for task in compose.tasks(settings) if not task.is_own],  # its own work on the database
            clock=SharedClock(SystemClock()),
            store=Forgetful(),
            executor=compose.executor(settings),
            listeners=(LogListener(),),
            stall_watch=StallWatch(settings.stall_threshold),
        )


class Forgetful(MemoryStore):
    """Remembers no run."""

    def record(self, result: RunResult) -> None:
        """Forget it."""


def system(store: str, history: str | None = None) -> System:
    return NoStore(store, None) if store == "none" else Product(store, History(history) if history else None)
