"""``async_tasks next``: the coming occurrences of all tasks, in order."""

from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from django.utils import timezone

from asyncsched import conf
from asyncsched.engine.virtual import VirtualRun
from asyncsched.management import parser as read
from asyncsched.management.screen import Screen
from asyncsched.management.tables import Column, Table, about, moment
from asyncsched.management.upcoming import upcoming
from asyncsched.registry import Task
from asyncsched.server import compose
from asyncsched.storage.queries import task_views

FEW, MOST = 10, 10_000

_COLUMNS = (
    Column(name="WHEN"),
    Column(name="IN", spare=1),
    Column(name="TASK", is_name=True),
    Column(name="SCHEDULE", spare=2),
)


def add_arguments(parser: ArgumentParser) -> None:
    """Add what ``next`` takes."""
    count = partial(read.whole, most=MOST)
    parser.add_argument("--count", type=count, metavar="N", help=f"how many at most; {FEW} by default")
    parser.add_argument("--until", type=read.moment, metavar="T", help="ISO 8601; all up to then")
    parser.add_argument("--json", action="store_true", help="for programs: a JSON array")


def handle(screen: Screen, *, count: int | None, until: datetime | None, json: bool, **options: Any) -> None:
    """Carry out ``next``."""
    now = timezone.now()
    running = {view.name for view in task_views(compose.tasks(conf.load()), now) if view.next_run}
    tasks = {task.name: task for task in compose.tasks(conf.load()) if task.name in running}
    runs = iter(upcoming(tasks.values(), now, until))
    coming = list(islice(runs, count or (FEW if until is None else MOST)))
    if json:
        screen.json([{"task": run.task, "scheduled_for": run.scheduled_for.isoformat()} for run in coming])
    elif coming:
        screen.table(_table(coming, tasks, now, is_relative=screen.is_rich))
    else:
        screen.say("Nothing comes: there are no tasks, all are disabled or paused, or it is too soon.")
    if until is not None and count is None and next(runs, None):
        screen.remark(f"Cut after {MOST}: more are to come until then.")


def _table(coming: Iterable[VirtualRun], tasks: Mapping[str, Task], now: datetime, *, is_relative: bool) -> Table:
    rows = [
        (moment(run.scheduled_for), about(run.scheduled_for - now), run.task, tasks[run.task].schedule.describe())
        for run in coming
    ]
    table = Table(columns=_COLUMNS, rows=tuple(rows))
    return table if is_relative else table.without(_COLUMNS[1])
