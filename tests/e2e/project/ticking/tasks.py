"""Tasks as good and as bad as they come. Only those named in E2E_TASKS are registered."""

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings

from asyncsched import Every, current_run, register
from asyncsched.models import TaskState
from ticking.ledger import note

HOURLY = Every(seconds=3600)


def wanted(name: str, schedule: Every, **options: Any) -> Callable[[Callable], Callable]:
    """Register the function if this process is to have it."""
    return register(name, schedule, **options) if name in settings.E2E_TASKS else lambda function: function


@wanted("tick", Every(seconds=0.5), timeout=5)
async def tick() -> None:
    note("ran")


@wanted("tick_everywhere", Every(seconds=0.5), timeout=5, scope="replica")
async def tick_everywhere() -> None:
    note("ran")


@wanted("tick_sync", Every(seconds=0.5), timeout=5)
def tick_sync() -> None:
    note("ran")


@wanted("asks_database", Every(seconds=0.5), timeout=20, history="all")
async def asks_database() -> int:
    count = await TaskState.objects.acount()
    note("ran")
    return count


@wanted("asks_database_sync", Every(seconds=0.5), timeout=20, history="all")
def asks_database_sync() -> int:
    count = TaskState.objects.count()
    note("ran")
    return count


@wanted("writes_database", Every(seconds=0.5), timeout=20, history="all")
def writes_database() -> None:
    TaskState.objects.create(task=f"written {time.time()}", last_error="x" * 20_000)
    note("ran")


@wanted("tells_much", Every(seconds=0.5), timeout=20, history="all")
async def tells_much() -> str:
    note("ran")
    return "x" * 2_000


# Those that are at work when the server is told to stop.


@wanted("finishes_in_time", HOURLY, run_on_start=True)
async def finishes_in_time() -> None:
    note("began")
    while not current_run().stopping:  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    note("finished")


@wanted("never_finishes", HOURLY, run_on_start=True)
async def never_finishes() -> None:
    note("began")
    try:
        await asyncio.Event().wait()
    finally:
        note("cut off")


@wanted("never_finishes_often", Every(seconds=30), run_on_start=True)
async def never_finishes_often() -> None:
    note("began")
    await asyncio.Event().wait()


@wanted("refuses_to_be_cancelled", HOURLY, run_on_start=True)
async def refuses_to_be_cancelled() -> None:
    note("began")
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            note("refused")


@wanted("looks_at_stopping", HOURLY, run_on_start=True)
def looks_at_stopping() -> None:
    note("began")
    while not current_run().stopping:
        time.sleep(0.05)
    note("saw it")


@wanted("notices_the_drain", Every(seconds=30), run_on_start=True)
def notices_the_drain() -> None:
    """Runs without a claim, so also while the database is locked."""
    note("began")
    while not current_run().stopping:
        time.sleep(0.01)
    note("noticed")


@wanted("ignores_stopping", HOURLY, run_on_start=True)
def ignores_stopping() -> None:
    note("began")
    threading.Event().wait()


@wanted("dies_and_is_run_again", HOURLY, run_on_start=True, rerun_abandoned=True)
async def dies_and_is_run_again() -> None:
    run = current_run()
    note(f"attempt {run.attempt} in term {run.term}")
    if run.term == 1:
        await asyncio.Event().wait()


# Two whose last occurrence, hours ago, is caught up on at the start; they are at work until they are told to stop.


@wanted("daily_work", Every(seconds=86_400))
async def daily_work() -> None:
    note("began")
    while not current_run().stopping:  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0.02)
    note("finished")


@wanted("daily_work_sync", Every(seconds=86_400))
def daily_work_sync() -> None:
    note("began")
    while not current_run().stopping:
        time.sleep(0.02)
    note("finished")


# Those that do harm.


@wanted("raises", Every(seconds=0.5), timeout=5)
async def raises() -> None:
    note("ran")
    raise LookupError("nothing there")


@wanted("exits", Every(seconds=1), timeout=5)
async def exits() -> None:
    note("ran")
    sys.exit("the task wants to end the server")


@wanted("exits_sync", Every(seconds=1), timeout=5)
def exits_sync() -> None:
    note("ran")
    sys.exit("the task wants to end the server")


@wanted("hangs", Every(seconds=2), timeout=1)
async def hangs() -> None:
    note("ran")
    await asyncio.Event().wait()


@wanted("blocks_loop", HOURLY, run_on_start=True)
async def blocks_loop() -> None:
    note("ran")
    await asyncio.sleep(1.2)  # until "tick" has its rhythm
    time.sleep(3)  # noqa: ASYNC251 - what a coroutine must not do
    note("ended")


@wanted("blocks_thread", Every(seconds=1), timeout=0.5)
def blocks_thread() -> None:
    note("ran")
    threading.Event().wait()


@wanted("cancels_itself", Every(seconds=1), timeout=5)
async def cancels_itself() -> None:
    note("ran")
    coroutine = asyncio.current_task()
    assert coroutine
    coroutine.cancel()
    await asyncio.sleep(0)


# Nine that are well, five async and four sync, spread over the second.


async def healthy_async() -> None:
    note("ran")


def healthy_sync() -> None:
    note("ran")


HEALTHY = tuple(f"healthy {number}" for number in range(1, 10))
for position, name in enumerate(HEALTHY):
    wanted(name, Every(seconds=1, offset=position / 9), timeout=5)(healthy_async if position % 2 == 0 else healthy_sync)


# One that can be made to fail, and that people are to hear of.


@wanted("fails_while_told_to", Every(seconds=1), timeout=5, catch_up="once", alert_after=4)
def fails_while_told_to() -> None:
    note("ran")
    if Path(f"{settings.E2E_LEDGER}.fail").exists():
        raise LookupError("told to")
