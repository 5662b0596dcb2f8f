"""Why-not: what did not run, and for what reason."""

from collections.abc import Iterable

from django.contrib import admin

from asyncsched.admin import display
from asyncsched.admin.filters import ByTime, by
from asyncsched.admin.names import ByTask
from asyncsched.admin.records import RecordAdmin
from asyncsched.models import TaskSkip
from asyncsched.storage.history import WHY, in_words


def _reasons() -> Iterable[tuple[str, str]]:
    return [(str(reason), words) for reason, words in WHY.items()]


@admin.register(TaskSkip)
class TaskSkipAdmin(RecordAdmin):
    """Occurrences that did not run, newest first."""

    time = "last_scheduled_for"
    task_name = staticmethod(display.name_of("task"))
    last = staticmethod(display.moment_of("last_scheduled_for"))
    first = staticmethod(display.moment_of("first_scheduled_for"))
    list_display = ["last", "task_name", "why", "count", "first"]
    list_filter = [ByTime, ByTask, by("reason", is_indexed=True, unless="task", values=_reasons)]
    sortable_by = ["last"]
    fields = ["task", "why", "count", "first", "last", "claimant"]
    readonly_fields = ["why", "first", "last"]

    @admin.display(description="why")
    def why(self, skip: TaskSkip) -> str:
        return in_words(skip.reason)
