"""``async_tasks list`` and ``names``: every task, when it runs next and how it fared last."""

from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from asyncsched import conf
from asyncsched.engine.runs import RunStatus
from asyncsched.management.screen import Screen
from asyncsched.management.sentences import NO_TASKS
from asyncsched.management.tables import Column, Table, columns, from_now, moment, seconds
from asyncsched.management.watching import add_watch, watch
from asyncsched.server import compose
from asyncsched.storage.queries import RunView, TaskView, task_views

_ON_SCREEN = (
    Column(name="TASK", is_name=True),
    Column(name="SCHEDULE", spare=4),
    Column(name="STATE", is_toned=True, spare=1),
    Column(name="NEXT", is_toned=True),
    Column(name="NEXT AT", spare=5),
    Column(name="LAST RUN", is_toned=True),
    Column(name="TOOK", right=True, spare=3),
    Column(name="STARTED", spare=6),
    Column(name="IN A ROW", spare=2),
)


def add_arguments(parser: ArgumentParser) -> None:
    """Add what ``list`` takes."""
    parser.add_argument("--json", action="store_true", help="for programs: a JSON array")
    add_watch(parser)


def handle(screen: Screen, *, json: bool, watch_every: float | None, **options: Any) -> None:
    """Carry out ``list``."""
    if watch_every is not None:
        watch(screen, show, every=watch_every, json=json)
    elif json:
        screen.json([view.as_json() for view in _views(timezone.now())])
    else:
        show(screen)


def show(screen: Screen) -> None:
    """Show all tasks as they are now."""
    now = timezone.now()
    views = _views(now)
    if not views:
        screen.say(NO_TASKS)
    elif screen.is_rich:
        screen.table(on_screen(views, now))
    else:
        screen.table(Table(columns=columns("TASK", "SCHEDULE", "STATE", "NEXT RUN", "LAST RUN"), rows=_plain(views)))


def handle_names(screen: Screen, **options: Any) -> None:
    """Carry out ``names``: asks nothing of the database."""
    for task in compose.tasks(conf.load()):
        screen.say(task.name)


def on_screen(views: Sequence[TaskView], now: datetime) -> Table:
    """Return the table that a terminal shows: what is near in time is told by how near it is."""
    table = Table(columns=_ON_SCREEN, rows=tuple(_row(view, now) for view in views))
    return table if any(row[-1] for row in table.rows) else table.without(_ON_SCREEN[-1])


def _views(now: datetime) -> list[TaskView]:
    return task_views(compose.tasks(conf.load()), now)


def _row(view: TaskView, now: datetime) -> tuple[str, ...]:
    last, state = view.last_run, _state(view)
    return (
        view.name,
        view.schedule,
        state,
        state if view.next_run is None else from_now(view.next_run, now),
        moment(view.next_run),
        _fared(last, now),
        _took(last),
        moment(last.started_at) if last else "",
        f"{view.consecutive_failures} failures" if view.consecutive_failures > 1 else "",
    )


def _fared(last: RunView | None, now: datetime) -> str:
    if last is None:
        return "never"
    if last.finished_at is None:
        return f"began {from_now(last.started_at, now)}"
    return f"{last.status.replace('_', ' ')} {from_now(last.finished_at, now)}"


def _took(last: RunView | None) -> str:
    if last is None or last.duration is None or last.status == RunStatus.SKIPPED:
        return ""
    return seconds(last.duration)


def _state(view: TaskView) -> str:
    return "paused" if view.paused else "enabled" if view.enabled else "disabled"


def _plain(views: Sequence[TaskView]) -> tuple[tuple[str, ...], ...]:
    return tuple((view.name, view.schedule, _state(view), moment(view.next_run), _last(view)) for view in views)


def _last(view: TaskView) -> str:
    if view.last_run is None:
        return "never"
    took = _took(view.last_run)
    in_a_row = f" ({view.consecutive_failures} failures in a row)" if view.consecutive_failures > 1 else ""
    return f"{moment(view.last_run.started_at)} {view.last_run.status}{f' in {took}' if took else ''}{in_a_row}"
