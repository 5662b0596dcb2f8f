"""Executing rules as they come due, for as long as the process runs.

Every replica does this. The bell tells of what was stored by this process; what another stores for
later is found within LOOK_EVERY. Who executes what is decided by the claim.
"""

import asyncio
import logging
from datetime import datetime

from asgiref.sync import sync_to_async
from django.db import Error, close_old_connections
from django.utils import timezone

from rules import actions, evaluate, runtimes
from rules.bell import bell
from rules.models import Rule
from rules.runtimes import Claimed

logger = logging.getLogger(__name__)

LOOK_EVERY = 5.0  # seconds
BREATH = 0.2  # seconds before what is due, but could not be done, is looked at again


def look(now: datetime) -> bool:
    """Do what is due by time alone; return whether there is anything to execute. Blocking."""
    runtimes.give_up_on_lost(now)
    evaluate.by_time(now)
    return runtimes.any_due(now)


async def run(workers: int) -> None:
    """Execute what is due, at most so many at a time, until cancelled. A database that is away is waited for."""
    slots, going, outage = asyncio.Semaphore(workers), set[asyncio.Task[None]](), _Outage()

    async def begin_next() -> float:
        """Begin to execute what is due; return the seconds to rest before the next look."""
        claimed, rest = await _next_or_outage(outage)
        if claimed is None:
            slots.release()
            return rest
        task = asyncio.create_task(_execute(claimed, slots))
        going.add(task)
        task.add_done_callback(ended)
        return 0

    def ended(task: asyncio.Task[None]) -> None:
        going.discard(task)
        if not task.cancelled() and (error := task.exception()):
            # A row that makes no sense, say. Its lease runs out, and after some tries it is given up.
            logger.error("rules: a runtime was not executed", exc_info=error, extra={"action": "runtime_broken"})

    try:
        while True:
            await slots.acquire()
            beginning = asyncio.create_task(begin_next())
            if rest := await asyncio.shield(beginning):
                await bell.wait(rest)
    finally:
        try:
            await beginning  # or what is claimed in this very moment would wait until its lease has run out
            await asyncio.gather(*going)  # who drains us says how long what was begun may take
        finally:
            for task in going:
                task.cancel()


class _Outage:
    """An outage of the database is logged once when it begins and once when it ends."""

    def __init__(self) -> None:
        self._goes_on = False

    def began(self, error: Error) -> None:
        if not self._goes_on:
            # The kind only: the text of some database errors repeats the statement with its values.
            logger.error("rules: outage: %s", type(error).__name__, extra={"action": "outage_began"})
        self._goes_on = True

    def ended(self) -> None:
        if self._goes_on:
            logger.info("rules: the database works again", extra={"action": "outage_ended"})
        self._goes_on = False


async def _next_or_outage(outage: _Outage) -> tuple[Claimed | None, float]:
    try:
        found = await sync_to_async(_next)(timezone.now())
    except Error as error:
        outage.began(error)
        return None, LOOK_EVERY
    outage.ended()
    return found


async def _execute(claimed: Claimed, slots: asyncio.Semaphore) -> None:
    try:
        await actions.execute(claimed)
    finally:
        slots.release()


def _next(now: datetime) -> tuple[Claimed | None, float]:
    """Do what is due by time alone and claim a runtime; return it, and if none is due, the seconds to rest."""
    try:
        due = [moment for moment in (runtimes.next_at(), _next_look()) if moment]
        rest = min([LOOK_EVERY, *((moment - now).total_seconds() for moment in due)])
        if rest > 0:
            return None, rest
        runtimes.give_up_on_lost(now)
        evaluate.by_time(now)
        return runtimes.claim_next(now), BREATH
    except Error:
        close_old_connections()  # it may be broken; the next look opens another
        raise


def _next_look() -> datetime | None:
    due = Rule.objects.filter(enabled=True, look_at__isnull=False)
    return due.order_by("look_at").values_list("look_at", flat=True).first()
