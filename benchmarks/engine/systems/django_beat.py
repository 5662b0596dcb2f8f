"""django-celery-beat on SQLite: its DatabaseScheduler's tick, with the publisher of `beat`."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from celery import Celery

from benchmarks.engine.plan import Plan, System
from benchmarks.engine.systems.beat import Ticking, publisher
from benchmarks.engine.systems.django_site import migrated


class DjangoBeat(System):
    def __init__(self) -> None:
        self._ticking = Ticking()

    @contextmanager
    def prepared(self) -> Iterator[None]:
        with migrated("django_celery_beat", "sqlite"):
            yield

    async def start(self, plan: Plan) -> None:
        jobs = [plan.sync_job(offset) for offset, _job in plan.schedules]
        tick = await asyncio.to_thread(_scheduled, plan, jobs)
        self._ticking.start(tick)

    async def stop(self) -> None:
        await self._ticking.stop()


def _scheduled(plan: Plan, jobs: list[Callable[[], None]]) -> Callable[[], float]:
    """Write the rows, and return the tick of a scheduler that has read them."""
    from django_celery_beat.models import IntervalSchedule, PeriodicTask  # noqa: PLC0415 - they need Django, set up
    from django_celery_beat.schedulers import DatabaseScheduler  # noqa: PLC0415

    interval = IntervalSchedule.objects.create(every=round(plan.period * 1e6), period=IntervalSchedule.MICROSECONDS)
    PeriodicTask.objects.bulk_create(
        PeriodicTask(
            name=f"job_{number}", task="job", args=f"[{number}]", interval=interval, last_run_at=plan.origin(offset)
        )
        for number, (offset, _job) in enumerate(plan.schedules)
    )
    scheduler = DatabaseScheduler(Celery(broker="memory://", set_as_current=False))
    scheduler.send_task = publisher(jobs)
    tick: Callable[[], float] = scheduler.tick
    return tick


def system() -> System:
    return DjangoBeat()
