"""History: what ran, when, and how it ended."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBadRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from asyncsched.admin import display, export
from asyncsched.admin.filters import ByTime, by
from asyncsched.admin.names import ByTask
from asyncsched.admin.records import MOST_SEARCHED, RecordAdmin
from asyncsched.models import TaskRun


@admin.register(TaskRun)
class TaskRunAdmin(RecordAdmin):
    """Runs, newest first; to be exported."""

    time = "started_at"
    list_display = ["started", "task_name", "status", "count", "trigger", "took", "late", "blocked", "error_start"]
    list_filter = [ByTime, ByTask, by("status", is_indexed=True), by("trigger")]
    search_fields = ["task", "error"]
    search_help_text = f"Part of a task's name or of an error, in the latest {MOST_SEARCHED:,} runs of those selected"
    sortable_by = ["started"]
    change_list_template = "asyncsched/admin/runs.html"
    actions = ["export_selected"]
    fieldsets = [
        (None, {"fields": ["task", "status", "count", "trigger", "attempt", "elsewhere"]}),
        (
            "Time",
            {"fields": ["scheduled", "started", "finished", "took", "late", "blocked", "stall_where"]},
        ),
        ("What came of it", {"fields": ["result", "error_text", "traceback_text", "log_text"]}),
        ("Where", {"fields": ["replica", "term", "run_id"]}),
    ]

    task_name = staticmethod(display.name_of("task"))
    started = staticmethod(display.moment_of("started_at"))
    scheduled = staticmethod(display.moment_of("scheduled_for"))
    finished = staticmethod(display.moment_of("finished_at"))
    readonly_fields = [
        "started", "scheduled", "finished", "took", "late", "blocked", "error_text", "traceback_text", "log_text",
        "elsewhere",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the runs without their longest texts, which only the page of a run shows."""
        return super().get_queryset(request).defer("traceback", "log", "result")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.export_filtered))
        return [path("export/", view, name="asyncsched_taskrun_export"), *super().get_urls()]

    def export_filtered(self, request: HttpRequest) -> HttpResponseBase:
        """Send what the list shows for the same address, with what is beyond its pages."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            runs = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseBadRequest("There is no such filter.")
        return export.as_csv(request, runs)

    @admin.action(description="Export the selected runs as CSV", permissions=["view"])
    def export_selected(self, request: HttpRequest, queryset: QuerySet[TaskRun]) -> StreamingHttpResponse:
        return export.as_csv(request, queryset)

    @admin.display(description="took")
    def took(self, run: TaskRun) -> str:
        return display.NOTHING if run.duration is None else f"{run.duration:.3f}\N{NO-BREAK SPACE}s"

    @admin.display(description="late")
    def late(self, run: TaskRun) -> str:
        return display.NOTHING if run.lateness is None else f"{run.lateness * 1000:.1f}\N{NO-BREAK SPACE}ms"

    @admin.display(description="blocked the loop")
    def blocked(self, run: TaskRun) -> str:
        return display.NOTHING if run.stall_seconds is None else f"{run.stall_seconds:.3f}\N{NO-BREAK SPACE}s"

    @admin.display(description="error")
    def error_start(self, run: TaskRun) -> str:
        return run.error[:120]

    @admin.display(description="error")
    def error_text(self, run: TaskRun) -> str:
        return display.verbatim(run.error)

    @admin.display(description="traceback")
    def traceback_text(self, run: TaskRun) -> str:
        return display.verbatim(run.traceback)

    @admin.display(description="log")
    def log_text(self, run: TaskRun) -> str:
        return display.verbatim(run.log)

    @admin.display(description="see also")
    def elsewhere(self, run: TaskRun) -> SafeString:
        return display.links(
            [
                ("The run's page", display.page("asyncsched:run", run.run_id)),
                ("All runs of the task", display.page("admin:asyncsched_taskrun_changelist", task=run.task)),
                ("What did not run, and why", display.page("admin:asyncsched_taskskip_changelist", task=run.task)),
            ]
        )
