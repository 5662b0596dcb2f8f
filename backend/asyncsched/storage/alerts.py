"""What is known of tasks that are to succeed now and then, and of which of them that is not so has been told.

Two queries, whatever the number of tasks.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from asyncsched.engine.overdue import Record
from asyncsched.engine.runs import RunStatus
from asyncsched.models import Replica, TaskState
from asyncsched.registry import Task

MOST_REPLICAS = 1000
"""Of so many processes, the latest, it is asked when they were up: a crash loop leaves a row each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """When a process was up, and which tasks it was to run, by what schedule: by name, in words."""

    tasks: Mapping[str, str]
    started_at: datetime
    expires_at: datetime


class State(NamedTuple):
    """What matters here of the row of a task; by default that of one that has none yet. Times are aware, in UTC."""

    task: str
    paused: bool = False
    last_status: str = ""
    last_success_at: datetime | None = None
    last_finished_at: datetime | None = None
    last_duration: float | None = None
    excused_until: datetime | None = None
    alerted_at: datetime | None = None


def states(names: Collection[str]) -> Mapping[str, State]:
    """Return the state of each task."""
    found = TaskState.objects.values_list(*State._fields)  # all there are: databases do not take any number of names
    return {name: State(name) for name in names} | {row[0]: State._make(row) for row in found if row[0] in names}


def presences() -> list[Presence]:
    """Return when which processes were up, the one that was heard of last first."""
    rows = Replica.objects.order_by("-expires_at").values_list("tasks", "started_at", "expires_at")[:MOST_REPLICAS]
    return [
        Presence(
            tasks={name: facts.get("schedule", "") for name, facts in tasks.items() if facts.get("enabled", True)},
            started_at=started_at,
            expires_at=expires_at,
        )
        for tasks, started_at, expires_at in rows
    ]


def up_since(task: Task, presences: Iterable[Presence]) -> tuple[datetime | None, datetime | None]:
    """Return since when, and until when, processes that know *task* were last up without a gap.

    Who runs it by another schedule, as an older version does during a deploy, knows another task.
    """
    since = until = None
    schedule = task.schedule.describe()
    for one in presences:
        if one.tasks.get(task.name) == schedule and (since is None or one.expires_at >= since):
            since = min(since or one.started_at, one.started_at)
            until = until or one.expires_at
    return since, until


def record(state: State, *, is_scheduler_alive: bool) -> Record | None:
    """Return what *state* tells; None if it says that nothing is expected of the task."""
    is_disabled = state.last_status == RunStatus.SKIPPED  # its enabled_when said no
    if state.paused or (is_disabled and not is_scheduler_alive):
        return None  # nobody asks that any more; while a scheduler lives, it is asked again each time
    # The latter is all that an older version writes, during a deploy.
    excuses = [state.excused_until, state.last_finished_at if is_disabled else None]
    return Record(
        last_success_at=state.last_success_at,
        excused_until=max(filter(None, excuses), default=None),
        took=(state.last_duration or 0.0) if state.last_status == RunStatus.SUCCEEDED else 0.0,
    )


def add_missing(names: Iterable[str]) -> None:
    """Give a row to those of the tasks *names* that have none, because they never ran.

    Outside of the transaction that follows: MySQL would keep a lock, and two that look could meet in a deadlock.
    """
    TaskState.objects.bulk_create([TaskState(task=name) for name in names], ignore_conflicts=True)


def take_alert(state: State, now: datetime) -> bool:
    """Note that the task is overdue, within a transaction; False if another did, or it is not so any more."""
    as_it_was = TaskState.objects.filter(task=state.task, paused=False, last_success_at=state.last_success_at)
    return as_it_was.filter(alerted_at=None).update(alerted_at=now) == 1


def forget_alerts(names: Iterable[str]) -> None:
    """Nothing is expected any more of the tasks *names*: what was told of them is over."""
    if gone := list(names):
        TaskState.objects.filter(task__in=gone).update(alerted_at=None)


def end_alert(state: State) -> bool:
    """Note that the task is overdue no more, within a transaction; False if another did."""
    return TaskState.objects.filter(task=state.task, alerted_at=state.alerted_at).update(alerted_at=None) == 1
