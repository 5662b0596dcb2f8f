"""The tasks as the live page shows them: the same facts for the table and for its updates."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from asyncsched import conf
from asyncsched.engine.recollection import REQUEST_LASTS
from asyncsched.engine.runs import RunStatus
from asyncsched.policy import History
from asyncsched.registry import Task
from asyncsched.schedules import Every
from asyncsched.server import compose
from asyncsched.storage.queries import RunView, TaskView, task_views
from asyncsched.storage.sparks import Spark, sparks
from asyncsched.web.access import may_run, may_view, news_address
from asyncsched.web.spark_line import SparkLine
from asyncsched.web.summary import cards, count_of
from asyncsched.web.words import status_word, took


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One task of the table. *with_errors* is False for who may see that a run failed, but not why, nor the run."""

    task: Task
    view: TaskView
    spark: Spark
    now: datetime
    with_errors: bool

    @property
    def period(self) -> float | None:
        """The seconds between two occurrences on the grid, for the page to count on by itself."""
        return self.task.schedule.seconds if isinstance(self.task.schedule, Every) else None

    @property
    def last(self) -> RunView | None:
        """The run that goes on, or else the last one."""
        return self.view.last_run

    @property
    def status_word(self) -> str:
        """How it stands, as people read it."""
        return status_word(self.last.status) if self.last else ""

    @property
    def is_overdue(self) -> bool:
        """True if it was told that the task has not succeeded for too long."""
        return self.view.alerted_at is not None

    @property
    def asked_at(self) -> datetime | None:
        """When somebody asked for a run that may still begin: soon, or once the one that goes on has ended."""
        asked_at = self.view.asked_at
        goes_on = self.last is not None and self.last.finished_at is None
        return asked_at if asked_at and (goes_on or self.now - asked_at < REQUEST_LASTS) else None

    @property
    def line(self) -> SparkLine:
        """Its latest runs as a drawing."""
        return SparkLine(spark=self.spark)

    @property
    def error(self) -> str | None:
        """What went wrong with it, for who may know."""
        return self.last.error if self.last and self.with_errors else None

    @property
    def run_id(self) -> UUID | None:
        """The last run's page, if it has a row of its own and the reader may see it."""
        return self.spark.run_id if self.with_errors and self._is_newest_row else None

    @property
    def lateness(self) -> float | None:
        """Seconds from due to started of the last run, if it has a row of its own."""
        return self.spark.lateness if self._is_newest_row else None

    @property
    def measured(self) -> str:
        """How long the last run took, and how late it was."""
        if not self.last or self.last.duration is None or self.last.status == RunStatus.SKIPPED:
            return ""
        length = f"took {took(self.last.duration)}"
        return length if self.lateness is None else f"{length}, {took(self.lateness)} late"

    @property
    def kept(self) -> str:
        """Which of its runs have a page: ``all``, ``failures`` or ``none``."""
        policy = self.task.options.history
        if policy is History.ALL or not self.task.schedule.is_subminute:
            return "all"  # schedules of a minute and longer are claimed by a row
        return "none" if policy is History.NONE else "failures"

    def as_json(self) -> dict[str, Any]:
        """Return it for the page's script: as ``async_tasks list --json`` has it, and more."""
        facts = self.view.as_json()
        if facts["last_run"]:
            facts["last_run"] |= {
                "id": self.run_id and self.run_id.hex,
                "lateness_s": self.lateness,
                "error": self.error,
            }
        return facts | {
            "spark": self.spark.as_json(),
            "asked_at": self.asked_at.isoformat() if self.asked_at else None,
            "alerted_at": self.view.alerted_at.isoformat() if self.view.alerted_at else None,
        }

    @property
    def _is_newest_row(self) -> bool:
        return self.last is not None and self.spark.started_at == self.last.started_at


def tasks_context(request: HttpRequest) -> dict[str, Any]:
    """Return what ``asyncsched/tasks.html`` needs, for who asks."""
    now = timezone.now()
    may_see_runs = may_view(request.user)
    rows = _rows(now, with_errors=may_see_runs)
    return {
        "tasks": [row for row in rows if not row.task.is_own],
        "own_tasks": [row for row in rows if row.task.is_own],
        "count": count_of(rows),
        "now": now,
        "time_zone": timezone.get_current_timezone_name(),
        "may_view_tasks": may_see_runs,
        "may_run_tasks": may_run(request.user),
        "runs_socket": news_address() if may_see_runs else "",
        "scheduler_cards": cards(_scope(request), rows) if may_see_runs else [],
        "here": request.get_full_path(),
    }


def tasks_json(request: HttpRequest) -> dict[str, Any]:
    """Return the same for the page's script: ``now``, ``tasks`` and, for who may see runs, ``cards``."""
    now = timezone.now()
    may_see_runs = may_view(request.user)
    rows = _rows(now, with_errors=may_see_runs)
    found: dict[str, Any] = {"now": now.isoformat(), "tasks": [row.as_json() for row in rows]}
    if may_see_runs:
        found["cards"] = [card.as_json() for card in cards(_scope(request), rows)]
    return found


def _rows(now: datetime, *, with_errors: bool) -> list[Row]:
    tasks = compose.tasks(conf.load())
    drawn = sparks(task.name for task in tasks)
    return [
        Row(task=task, view=view, spark=drawn.get(task.name) or Spark(), now=now, with_errors=with_errors)
        for task, view in zip(tasks, task_views(tasks, now), strict=True)
    ]


def _scope(request: HttpRequest) -> Mapping[str, Any]:
    return getattr(request, "scope", {})
