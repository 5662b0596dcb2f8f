"""Idle, ours: the whole product as a server starts it, with election, history and the stall watch."""

import asyncio
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

from asyncsched import DailyAt, Every, register
from asyncsched.server.host import Host
from benchmarks.engine.systems.django_site import migrated
from benchmarks.idle.home import DAY, TASKS
from benchmarks.idle.meter import Reading, figures
from tests.support.statements import counted_statements

GRACE = 5.0  # seconds to stop


def measure(warm_up: float, seconds: float, database: str, *options: str) -> Mapping[str, float]:
    """Measure on *database*, ``sqlite`` or ``postgres``. The option ``statements`` shows what that was asked for."""
    with migrated("asyncsched", database):
        for task in TASKS:
            schedule: Any = DailyAt(int(task.offset // 3600)) if task.period == DAY else Every(task.period)
            register(task.name, schedule, timeout=60)(_do_nothing)
        return asyncio.run(_measured(warm_up, seconds, shows_statements="statements" in options))


async def _measured(warm_up: float, seconds: float, *, shows_statements: bool) -> Mapping[str, float]:
    with counted_statements() as statements:
        host = Host()
        await host.start()
        await asyncio.sleep(warm_up)
        seen = len(statements.texts)
        before = Reading.now(reads=statements.reads, writes=statements.writes)
        await asyncio.sleep(seconds)
        found = figures(before, Reading.now(reads=statements.reads, writes=statements.writes))
        if shows_statements:
            for text, count in Counter(statements.texts[seen:]).most_common():
                sys.stderr.write(f"{count} {text[:300]}\n")
        await host.stop(GRACE)
    return found


async def _do_nothing() -> None: ...
