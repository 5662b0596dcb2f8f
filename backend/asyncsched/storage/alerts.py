"""What is known of tasks that are to succeed now and then, and of which of them that is not so has been told.

Two queries, or three while a task is late, whatever the number of tasks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Max

from asyncsched.engine.overdue import Record
from asyncsched.engine.runs import RunStatus, SkipReason
from asyncsched.models import Replica, TaskSkip, TaskState

MOST_REPLICAS = 1000
"""Of so many processes, the latest, it is asked when they were up: a crash loop leaves a row each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """When a process was up, and which tasks it knew."""

    tasks: frozenset[str]
    started_at: datetime
    expires_at: datetime


def states(names: Iterable[str]) -> Mapping[str, TaskState]:
    """Return the state of each task that has one."""
    return TaskState.objects.in_bulk(list(names))


def presences() -> list[Presence]:
    """Return when which processes were up, the one that was heard of last first."""
    rows = Replica.objects.order_by("-expires_at").values_list("tasks", "started_at", "expires_at")[:MOST_REPLICAS]
    return [
        Presence(tasks=frozenset(tasks), started_at=started_at, expires_at=expires_at)
        for tasks, started_at, expires_at in rows
    ]


def up_since(name: str, presences: Iterable[Presence]) -> tuple[datetime | None, datetime | None]:
    """Return since when, and until when, processes that know the task *name* were last up without a gap."""
    since = until = None
    for one in presences:
        if name in one.tasks and (since is None or one.expires_at >= since):
            since = min(since or one.started_at, one.started_at)
            until = until or one.expires_at
    return since, until


def record(state: TaskState, *, is_scheduler_alive: bool) -> Record | None:
    """Return what *state* tells; None if it says that nothing is expected of the task."""
    if state.paused:
        return None
    succeeded = state.last_status == RunStatus.SUCCEEDED
    told = Record(last_success_at=state.last_success_at, took=(state.last_duration or 0.0) if succeeded else 0.0)
    if state.last_status != RunStatus.SKIPPED:
        return told
    # Its enabled_when said no. Where nobody asks it any more, that holds; else it is asked again each time.
    return replace(told, excused_until=state.last_finished_at) if is_scheduler_alive else None


def paused_until(names: Iterable[str]) -> Mapping[str, datetime]:
    """Return the last occurrence that each task let pass because it was paused; those that have none are missing."""
    skipped = TaskSkip.objects.filter(task__in=list(names), reason=SkipReason.PAUSED)
    return dict(skipped.values_list("task").annotate(Max("last_scheduled_for")))


def take_alert(state: TaskState, now: datetime) -> bool:
    """Note that the task is overdue, within a transaction; False if another did, or it is not so any more."""
    TaskState.objects.get_or_create(task=state.task)  # one that never ran has no row
    as_it_was = TaskState.objects.filter(task=state.task, paused=False, last_success_at=state.last_success_at)
    return as_it_was.filter(alerted_at=None).update(alerted_at=now) == 1


def end_alert(state: TaskState) -> bool:
    """Note that the task is overdue no more, within a transaction; False if another did."""
    return TaskState.objects.filter(task=state.task, alerted_at=state.alerted_at).update(alerted_at=None) == 1
