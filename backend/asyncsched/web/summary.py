"""The scheduler at a glance: whether it runs, who leads, and how many of its tasks are well."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from asyncsched.registry import Task
from asyncsched.schedules.words import counted
from asyncsched.storage.database_time import database_now
from asyncsched.storage.presence_views import names, presence
from asyncsched.storage.queries import TaskView
from asyncsched.web.health import health_of
from asyncsched.web.words import took


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """*state* is ``ok``, ``bad`` or ``wait`` and colours it."""

    key: str
    title: str
    state: str
    word: str
    detail: str

    def as_json(self) -> dict[str, str]:
        """Return what can change of it."""
        return {"key": self.key, "state": self.state, "word": self.word, "detail": self.detail}


class Standing(Protocol):
    """What a row of the table tells of its task."""

    @property
    def task(self) -> Task: ...
    @property
    def view(self) -> TaskView: ...
    @property
    def is_overdue(self) -> bool: ...


def cards(scope: Mapping[str, Any], rows: Iterable[Standing]) -> list[Card]:
    """Return the page's cards. The scheduler is as the database, and the process that serves *scope*, know it."""
    return [_scheduler(scope), _tasks(list(rows))]


def count_of(rows: Iterable[Standing]) -> str:
    """Say how many tasks there are, the scheduler's own told apart."""
    rows = list(rows)
    own = sum(row.task.is_own for row in rows)
    project = counted(len(rows) - own, "task")
    return f"{project}, and {own} of the scheduler's own" if own else project


def _scheduler(scope: Mapping[str, Any]) -> Card:
    state, word, details = _who_runs(scope)
    health = health_of(scope)
    if health and health.lateness_p99 is not None:
        details.append(f"on time to {took(health.lateness_p99)}")
    return Card(key="scheduler", title="Scheduler", state=state, word=word, detail=" · ".join(details))


def _who_runs(scope: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    leadership, replicas = presence(database_now())
    alive = [replica for replica in replicas if replica.is_alive]
    if leadership.leads:
        standby = len(alive) - 1
        leads = f"{names(alive)[leadership.holder]} leads"
        return "ok", "Running", [leads, f"{standby} on standby"] if standby else [leads]
    if health_of(scope):  # it was told not to elect, or has not been elected yet
        return "ok", "Running", ["in this process"]
    if alive:
        return "wait", "Electing", [f"{counted(len(alive), 'process', 'processes')}, and none leads yet"]
    return "bad", "Not running", ["No process runs the scheduler, so no task runs"]


def _tasks(rows: list[Standing]) -> Card:
    failing = sum(row.view.consecutive_failures > 0 for row in rows)
    overdue = sum(row.is_overdue for row in rows)
    paused = sum(row.view.paused for row in rows)
    troubles = [f"{count} {what}" for count, what in ((failing, "failing"), (overdue, "overdue")) if count]
    detail = count_of(rows) + (f" · {paused} paused" if paused else "")
    word = ", ".join(troubles) or ("All well" if rows else "None")
    return Card(key="tasks", title="Tasks", state="bad" if troubles else "ok", word=word, detail=detail)
