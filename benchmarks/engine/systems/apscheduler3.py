"""APScheduler 3: AsyncIOScheduler with its default job store, in memory."""

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from benchmarks.engine.plan import Plan, System


class APScheduler3(System):
    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(timezone="UTC")

    async def start(self, plan: Plan) -> None:
        for offset, job in plan.schedules:
            trigger = IntervalTrigger(seconds=plan.period, start_date=plan.origin(offset))
            # Late is better than never, and once is enough: what the others do.
            self._scheduler.add_job(job, trigger, misfire_grace_time=None, coalesce=True)
        self._scheduler.start()

    async def stop(self) -> None:
        self._scheduler.shutdown()


def system() -> System:
    return APScheduler3()
