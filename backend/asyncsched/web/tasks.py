"""The tasks as the live page shows them: the same facts for the table and for its updates."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from asyncsched import conf
from asyncsched.registry import Task
from asyncsched.schedules import Every
from asyncsched.server import compose
from asyncsched.storage.queries import TaskView, task_views

# How statuses are called where people read them; the others are plain words already. As in tasks.js.
WORDS = {"timed_out": "timed out", "cancelled": "cut off"}


def tasks_context(*, with_errors: bool) -> dict[str, Any]:
    """Return what ``asyncsched/tasks.html`` needs. Error texts may tell much, so not everybody gets them."""
    now = timezone.now()
    zone = timezone.get_default_timezone_name()
    return {"tasks": _rows(now, with_errors=with_errors), "now": now, "time_zone": zone, "with_runs": with_errors}


def tasks_json(*, with_errors: bool) -> dict[str, Any]:
    """Return the same for the page's script: ``now`` and ``tasks``, as ``async_tasks list --json`` has them."""
    now = timezone.now()
    tasks = [row["view"].as_json() for row in _rows(now, with_errors=with_errors)]
    for task in tasks:
        if task["last_run"] and not with_errors:
            task["last_run"]["error"] = None
    return {"now": now.isoformat(), "tasks": tasks}


def _rows(now: datetime, *, with_errors: bool) -> list[dict[str, Any]]:
    tasks = compose.tasks(conf.load())
    return [_row(task, view, with_errors=with_errors) for task, view in zip(tasks, task_views(tasks, now), strict=True)]


def _row(task: Task, view: TaskView, *, with_errors: bool) -> dict[str, Any]:
    error = view.last_run.error if view.last_run and with_errors else None
    word = WORDS.get(view.last_run.status, view.last_run.status) if view.last_run else ""
    return {"view": view, "period": _period(task), "status_word": word, "error": error}


def _period(task: Task) -> float | None:
    """Return the seconds between two occurrences on the grid, for the page to count on by itself."""
    schedule = task.schedule
    return schedule.seconds if isinstance(schedule, Every) else None
