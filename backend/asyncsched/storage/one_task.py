"""One task with all that is known of it, whichever process has its code."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from asyncsched.engine.recollection import REQUEST_LASTS
from asyncsched.models import TaskState
from asyncsched.registry import Task
from asyncsched.storage import history, paging
from asyncsched.storage.database_time import database_now
from asyncsched.storage.history import PastSkip
from asyncsched.storage.paging import Cursor, Page
from asyncsched.storage.presence_views import names, presence
from asyncsched.storage.situations import Deployment, TaskSituation, situations


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """Every task there is, and what to call the processes that run them."""

    tasks: Mapping[str, TaskSituation]
    called: Mapping[str, str]
    """By the identity of a process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDetail:
    """What is asked of a task, and what came of it. Times are aware, in UTC."""

    asked_at: datetime | None
    """When somebody asked for a run that has not begun yet and still may."""
    asked_by: str
    alerted_at: datetime | None
    """When it was told that a success is overdue."""
    runs: Page
    skips: tuple[PastSkip, ...]


def everything(tasks: Iterable[Task], *, is_elected: bool) -> Everything:
    """Return how every task stands: those of the code here, of other processes, and those nobody has any more."""
    now = database_now()
    leadership, replicas = presence(now)
    deployment = Deployment(
        now=now,
        tasks={task.name: task for task in tasks},
        leadership=leadership,
        replicas=replicas,
        is_elected=is_elected,
    )
    return Everything(tasks={one.name: one for one in situations(deployment)}, called=names(replicas))


def detail(name: str, *, now: datetime, behind: Cursor | None, most_runs: int, most_skips: int) -> TaskDetail:
    """Return the rest of what is known of the task *name*, with four queries; of its runs those *behind* a place."""
    state = TaskState.objects.filter(task=name).first() or TaskState(task=name)
    is_asked = state.run_asked_at is not None and now - state.run_asked_at <= REQUEST_LASTS
    return TaskDetail(
        asked_at=state.run_asked_at if is_asked else None,
        asked_by=state.run_asked_by,
        alerted_at=state.alerted_at,
        runs=paging.page(name, behind=behind, limit=most_runs),
        skips=tuple(history.skips(task=name, limit=most_skips)),
    )
