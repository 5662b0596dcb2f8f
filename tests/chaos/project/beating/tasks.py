"""Every job as a task: it writes its line in the ledger before anything else, and works a little."""

import asyncio
import time
from collections.abc import Callable

from django.conf import settings
from jobs import Job, chosen

from asyncsched import Every, Retry, register
from beating.ledger import note


def function_of(job: Job) -> Callable:
    """Return what *job* does."""

    async def work() -> None:
        fails = job.fails_at(*note())
        await asyncio.sleep(job.work)
        _end(fails=fails)

    def work_sync() -> None:
        fails = job.fails_at(*note())
        time.sleep(job.work)
        _end(fails=fails)

    return work if job.is_async else work_sync


def _end(*, fails: bool) -> None:
    if fails:
        raise LookupError("fails on purpose")


for job in chosen(settings.CHAOS_JOBS):
    register(
        job.name,
        Every(seconds=job.period),
        scope=job.scope,
        catch_up=job.catch_up,
        # What comes due while a stopped process is in the middle of a run is not to be skipped as an overlap.
        overlap="queue" if job.is_complete else "skip",
        retry=Retry(attempts=2, delay=0.1) if job.fails else Retry(),
    )(function_of(job))
