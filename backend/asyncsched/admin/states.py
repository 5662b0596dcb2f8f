"""The tasks themselves: how they stand, and the switch to pause them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from asyncsched.admin.records import RecordAdmin
from asyncsched.models import TaskState
from asyncsched.registry import registry
from asyncsched.storage.requests import set_paused


@admin.register(TaskState)
class TaskStateAdmin(RecordAdmin):
    """Tasks. All that can be changed is whether they are paused; running processes follow within two seconds."""

    list_display = [
        "task", "paused", "last_status", "last_started_at", "next_run_at", "runs", "failures", "consecutive_failures",
        "last_success_at",
    ]  # fmt: skip
    list_editable = ["paused"]
    list_filter = ["paused", "last_status"]
    search_fields = ["task", "last_error"]
    ordering = ["task"]
    sortable_by = ["task"]
    fields = [
        "task", "paused", "next_run_at", "runs", "failures", "consecutive_failures", "last_status", "last_trigger",
        "last_scheduled_for", "last_started_at", "last_finished_at", "last_duration", "last_error", "last_success_at",
        "cursor",
    ]  # fmt: skip
    readonly_fields = [name for name in fields if name != "paused"]  # type: ignore[misc] # they are plain names

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show every registered task, also one that has not run yet: it too may have to be paused."""
        if self.has_change_permission(request):
            TaskState.objects.bulk_create([TaskState(task=task.name) for task in registry], ignore_conflicts=True)
        return super().changelist_view(request, extra_context)

    def save_model(self, request: HttpRequest, obj: TaskState, form: object, change: object) -> None:
        """Turn the switch alone: the scheduler writes the rest of the row in the meantime."""
        set_paused(obj.task, value=obj.paused)
