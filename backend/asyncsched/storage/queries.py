"""The read side: the one answer to "what is the state of a task", for commands and pages alike."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncsched.models import TaskRun, TaskState
from asyncsched.registry import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A finished run, or the one going on. Times are aware, in UTC; lengths in seconds."""

    status: str
    trigger: str
    scheduled_for: datetime
    started_at: datetime
    finished_at: datetime | None
    duration: float | None
    error: str | None

    def as_json(self) -> dict[str, Any]:
        """Return what ``async_tasks list --json`` prints under ``last_run``."""
        return {
            "status": self.status,
            "trigger": self.trigger,
            "scheduled_for": self.scheduled_for.isoformat(),
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at.isoformat() if self.finished_at else None,
            "duration_s": self.duration,
            "error": self.error,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A task as people see it."""

    name: str
    description: str
    schedule: str
    kind: str
    scope: str
    executor: str
    """Where its runs go on."""
    enabled: bool
    paused: bool
    next_run: datetime | None
    """None while the task is disabled or paused."""
    last_run: RunView | None
    consecutive_failures: int
    last_success_at: datetime | None
    asked_at: datetime | None
    """When somebody last asked for a run that has not begun."""
    alerted_at: datetime | None
    """When it was told that a success is overdue, and still is."""

    def as_json(self) -> dict[str, Any]:
        """Return one element of what ``async_tasks list --json`` prints."""
        return {
            "name": self.name,
            "description": self.description,
            "schedule": self.schedule,
            "kind": self.kind,
            "scope": self.scope,
            "executor": self.executor,
            "enabled": self.enabled,
            "paused": self.paused,
            "next_run": self.next_run.isoformat() if self.next_run else None,
            "last_run": self.last_run.as_json() if self.last_run else None,
            "consecutive_failures": self.consecutive_failures,
            "last_success_at": self.last_success_at.isoformat() if self.last_success_at else None,
        }


def task_views(tasks: Iterable[Task], now: datetime) -> list[TaskView]:
    """Return a view of each of *tasks*, in their order, with two queries."""
    tasks = tuple(tasks)
    names = [task.name for task in tasks]
    states = TaskState.objects.in_bulk(names)
    running = {run.task: run for run in TaskRun.objects.filter(status="running", task__in=names)}
    return [_task_view(task, states.get(task.name), running.get(task.name), now) for task in tasks]


def _task_view(task: Task, state: TaskState | None, running: TaskRun | None, now: datetime) -> TaskView:
    paused = bool(state and state.paused)
    return TaskView(
        name=task.name,
        description=task.options.description,
        schedule=task.schedule.describe(),
        kind=task.kind,
        scope=task.options.scope.value,
        executor=task.options.executor,
        enabled=task.options.enabled,
        paused=paused,
        next_run=task.schedule.next_after(now) if task.options.enabled and not paused else None,
        last_run=running_run_view(running) if running else last_run_view(state),
        consecutive_failures=state.consecutive_failures if state else 0,
        last_success_at=state.last_success_at if state else None,
        asked_at=state.run_asked_at if state else None,
        alerted_at=state.alerted_at if state else None,
    )


def running_run_view(run: TaskRun) -> RunView:
    """Return the view of a run that is going on."""
    return RunView(
        status=run.status,
        trigger=run.trigger,
        scheduled_for=run.scheduled_for,
        started_at=run.started_at,
        finished_at=None,
        duration=None,
        error=None,
    )


def last_run_view(state: TaskState | None) -> RunView | None:
    """Return the run that *state* remembers, None if there was none."""
    if state is None or state.last_started_at is None or state.last_scheduled_for is None:
        return None
    return RunView(
        status=state.last_status,
        trigger=state.last_trigger,
        scheduled_for=state.last_scheduled_for,
        started_at=state.last_started_at,
        finished_at=state.last_finished_at,
        duration=state.last_duration,
        error=state.last_error or None,
    )
