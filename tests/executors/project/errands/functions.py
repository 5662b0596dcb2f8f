"""What the tasks do. They are functions of their own, for the executor that calls them where the tests run."""

import asyncio
import json
import logging
import sys
import time
from typing import Any

from django.db import connection

from asyncsched import current_run

from .notes import note, wait

logger = logging.getLogger("errands")


def answers() -> int:
    """Return a value."""
    note("ran")
    return 42


async def answers_async() -> str:
    """Return a value, on a loop."""
    await asyncio.sleep(0)
    note("ran")
    return "from a loop"


def says_nothing() -> None:
    """Return nothing."""


class Unprintable:
    def __str__(self) -> str:
        raise ValueError("no words")


def answers_unprintably() -> Unprintable:
    """Return what cannot be put into words."""
    return Unprintable()


def fails() -> None:
    """Raise."""
    raise ValueError("no such thing")


async def fails_async() -> None:
    """Raise, on a loop."""
    raise ValueError("no such thing")


def exits() -> None:
    """Raise what would end a process."""
    sys.exit("enough")


def returns_a_coroutine() -> Any:
    """Do what a plain function must not."""
    return answers_async()


def tells_its_run() -> str:
    """Return what it is told of its run."""
    run = current_run()
    told = [run.id, run.task, run.scheduled_for.isoformat(), run.trigger, run.attempt, run.term]
    return json.dumps(told)


def progresses() -> None:
    """Say how far it is."""
    current_run().progress(1, 3)
    wait()
    current_run().progress(3, 3)


def logs() -> None:
    """Write to the log."""
    logger.warning("the tide is %s", "out")


async def logs_async() -> None:
    """Write to the log, on a loop."""
    logger.warning("the tide is in")


def holds() -> str:
    """Go on until it gets the word."""
    note("began")
    wait()
    note("ended")
    return "held"


def heeds() -> None:
    """Go on until it is asked to stop, or made to."""
    note("began")
    try:
        while not current_run().stopping:
            time.sleep(0.02)
    except BaseException:
        note("cut off")
        raise
    note("stopped")


async def heeds_async() -> None:
    """Go on until it is cancelled."""
    note("began")
    try:
        await asyncio.Event().wait()
    finally:
        note("cut off")


def meets_a_fresh_connection() -> bool:
    """Return whether the database connection is as if nobody had used it, and leave it open."""
    is_fresh = connection.connection is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return is_fresh


def never() -> bool:
    """Say no."""
    return False


async def never_async() -> bool:
    """Say no, on a loop."""
    return False
