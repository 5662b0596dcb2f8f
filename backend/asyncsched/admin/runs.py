"""History: what ran, when, and how it ended."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from asyncsched.admin.records import RecordAdmin
from asyncsched.models import TaskRun
from asyncsched.registry import registry


class ByTask(admin.SimpleListFilter):
    """Filters by task. The names come from the registry: asking the table for them would read all of it."""

    title = "task"
    parameter_name = "task"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(task.name, task.name) for task in registry]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(task=self.value()) if self.value() else queryset


@admin.register(TaskRun)
class TaskRunAdmin(RecordAdmin):
    """Runs, newest first."""

    list_display = ["started_at", "task", "status", "trigger", "took", "late", "blocked", "error_start"]
    list_filter = [ByTask, "status", "trigger", "started_at"]
    search_fields = ["task", "error"]
    search_help_text = "Part of a task's name or of an error"
    ordering = ["-started_at"]
    sortable_by = ["started_at"]

    def has_change_permission(self, *_: object, **__: object) -> bool:
        return False

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
