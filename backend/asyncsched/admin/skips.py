"""Why-not: what did not run, and for what reason."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from asyncsched.admin.records import RecordAdmin
from asyncsched.admin.runs import ByTask
from asyncsched.models import TaskSkip
from asyncsched.storage.history import WHY, in_words


class ByReason(admin.SimpleListFilter):
    """Filters by reason, in words. The reasons come from the code: asking the table for them would read all of it."""

    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(reason), words) for reason, words in WHY.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TaskSkip]) -> QuerySet[TaskSkip]:
        return queryset.filter(reason=self.value()) if self.value() else queryset


@admin.register(TaskSkip)
class TaskSkipAdmin(RecordAdmin):
    """Occurrences that did not run, newest first."""

    list_display = ["last_scheduled_for", "task", "why", "count", "first_scheduled_for"]
    list_filter = [ByTask, ByReason, "last_scheduled_for"]
    ordering = ["-last_scheduled_for"]
    sortable_by = ["last_scheduled_for"]

    def has_change_permission(self, *_: object, **__: object) -> bool:
        return False

    @admin.display(description="why")
    def why(self, skip: TaskSkip) -> str:
        return in_words(skip.reason)
