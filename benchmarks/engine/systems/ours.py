"""This scheduler: the whole product on a database, as `SchedulerLifespan` starts it, or its engine alone."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from asyncsched import Every, register
from asyncsched.engine.supervisor import Supervisor
from asyncsched.policy import History
from benchmarks.engine.plan import Plan, System
from benchmarks.engine.systems.django_site import migrated, set_up

TIMEOUT = 30.0  # seconds after which a run would be ended: watching over it is part of the price
GRACE = 20.0  # seconds


class Ours(System):
    """Each task has a timeout. *database*: ``sqlite``, ``postgres`` or ``none``."""

    def __init__(self, database: str, history: History | None) -> None:
        self._database = database
        self._history = history  # None: what a schedule below a minute has by default
        self._make: Callable[[], Supervisor]
        self._supervisor: Supervisor

    @contextmanager
    def prepared(self) -> Iterator[None]:
        if self._database == "none":
            set_up("asyncsched", {"ENGINE": "django.db.backends.dummy"})
            from benchmarks.engine.systems.supervisors import without_store  # noqa: PLC0415 - it needs Django, set up

            self._make = without_store
            yield
            return
        with migrated("asyncsched", self._database):
            from benchmarks.engine.systems.supervisors import product  # noqa: PLC0415

            self._make = product
            yield

    async def start(self, plan: Plan) -> None:
        for number, (offset, job) in enumerate(plan.schedules):
            schedule = Every(seconds=plan.period, offset=offset)
            register(f"job_{number}", schedule, timeout=TIMEOUT, history=self._history)(job)
        self._supervisor = self._make()
        await self._supervisor.start()
        gc.freeze()  # as the server does once its scheduler has started

    async def stop(self) -> None:
        await self._supervisor.drain(GRACE)
        gc.unfreeze()


def system(database: str, history: str | None = None) -> System:
    return Ours(database, History(history) if history else None)
