"""APScheduler 4, an alpha version: AsyncScheduler with its default data store, in memory."""

from apscheduler import AsyncScheduler
from apscheduler.triggers.interval import IntervalTrigger

from benchmarks.engine.plan import Plan, System


class APScheduler4(System):
    def __init__(self) -> None:
        self._scheduler = AsyncScheduler()

    async def start(self, plan: Plan) -> None:
        scheduler = await self._scheduler.__aenter__()
        jobs = [job for _offset, job in plan.schedules]

        async def job(number: int) -> None:
            await jobs[number]()

        # One task for all schedules, and as many of its runs at once as there are: the others have no such limit.
        task = await scheduler.configure_task("job", func=job, job_executor="async", max_running_jobs=None)
        for number, (offset, _job) in enumerate(plan.schedules):
            trigger = IntervalTrigger(seconds=plan.period, start_time=plan.origin(offset))
            await scheduler.add_schedule(task.id, trigger, id=str(number), args=(number,))
        await scheduler.start_in_background()

    async def stop(self) -> None:
        await self._scheduler.stop()
        await self._scheduler.wait_until_stopped()
        await self._scheduler.__aexit__(None, None, None)


def system() -> System:
    return APScheduler4()
