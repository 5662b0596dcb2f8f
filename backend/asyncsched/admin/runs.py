"""History: what ran, when, and how it ended."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from asyncsched.admin.records import RecordAdmin
from asyncsched.engine.runs import Trigger
from asyncsched.models import TaskRun
from asyncsched.registry import registry

MOST_SEARCHED = 10_000
MOST_LOOKED_AT = 50_000


def latest(runs: QuerySet[TaskRun], most: int) -> QuerySet[TaskRun]:
    """Return the *most* latest of *runs*; more, if several began at the very same instant."""
    starts = runs.order_by("-started_at").values_list("started_at", flat=True)
    for earliest in starts[most - 1 : most]:
        return runs.filter(started_at__gte=earliest)
    return runs


class ByTask(admin.SimpleListFilter):
    """Filters by task. The names come from the registry: asking the table for them would read all of it."""

    title = "task"
    parameter_name = "task"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(task.name, task.name) for task in registry]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(task=self.value()) if self.value() else queryset


class ByTrigger(admin.SimpleListFilter):
    """Filters by trigger, among the latest runs: no index finds the few that were not on schedule."""

    title = f"trigger, of the latest {MOST_LOOKED_AT:,}"
    parameter_name = "trigger"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(trigger.value, trigger.value) for trigger in Trigger]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TaskRun]) -> QuerySet[TaskRun]:
        return latest(queryset, MOST_LOOKED_AT).filter(trigger=self.value()) if self.value() else queryset


@admin.register(TaskRun)
class TaskRunAdmin(RecordAdmin):
    """Runs, newest first."""

    list_display = ["started_at", "task", "status", "count", "trigger", "took", "late", "blocked", "error_start"]
    list_filter = [ByTask, "status", "started_at", ByTrigger]
    search_fields = ["task", "error"]
    search_help_text = f"Part of a task's name or of an error, in the latest {MOST_SEARCHED:,} runs of those selected"
    ordering = ["-started_at"]
    sortable_by = ["started_at"]

    def has_change_permission(self, *_: object, **__: object) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[TaskRun], search_term: str
    ) -> tuple[QuerySet[TaskRun], bool]:
        """Search among the latest: no index helps to find a part of a text, and there may be millions."""
        among = latest(queryset, MOST_SEARCHED) if search_term else queryset
        return super().get_search_results(request, among, search_term)

    @admin.display(description="took")
    def took(self, run: TaskRun) -> str:
        return "" if run.duration is None else f"{run.duration:.3f}\N{NO-BREAK SPACE}s"

    @admin.display(description="late")
    def late(self, run: TaskRun) -> str:
        return "" if run.lateness is None else f"{run.lateness * 1000:.1f}\N{NO-BREAK SPACE}ms"

    @admin.display(description="blocked the loop")
    def blocked(self, run: TaskRun) -> str:
        return "" if run.stall_seconds is None else f"{run.stall_seconds:.3f}\N{NO-BREAK SPACE}s"

    @admin.display(description="error")
    def error_start(self, run: TaskRun) -> str:
        return run.error[:120]
