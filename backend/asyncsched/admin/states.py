"""The tasks: what they are, how they stand, and the buttons to run, pause and resume them."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from asyncsched.admin import definitions, display
from asyncsched.admin.filters import by
from asyncsched.admin.records import RecordAdmin
from asyncsched.definition import coming, definition
from asyncsched.models import TaskState
from asyncsched.storage.requests import ask_run, set_paused

RUN = "asyncsched.run_tasks"


def _run(name: str, username: str) -> str:
    ask_run(name, by=username)
    return "Asked for a run."


def _pause(name: str, username: str) -> str:
    return "Paused." if set_paused(name, value=True) else ""


def _resume(name: str, username: str) -> str:
    return "Resumed." if set_paused(name, value=False) else ""


VERBS: dict[str, Callable[[str, str], str]] = {"run": _run, "pause": _pause, "resume": _resume}
"""What can be done to a task by who: each returns what goes into the log, or nothing if it was so already."""

DONE = {
    "run": "Asked for a run of {}. It begins as soon as a process sees it: within two seconds, if one runs.",
    "pause": "Paused {}.",
    "resume": "Resumed {}.",
}


@admin.register(TaskState)
class TaskStateAdmin(RecordAdmin):
    """Tasks, to read. Who has the permission RUN may have them run, paused and resumed, by all processes."""

    task_name = staticmethod(display.name_of("task"))
    started = staticmethod(display.moment_of("last_started_at"))
    succeeded = staticmethod(display.moment_of("last_success_at"))
    next_run = staticmethod(display.moment_of("next_run_at"))
    list_filter = [by("paused"), by("last_status")]
    search_fields = ["task", "last_error"]
    ordering = ["task"]
    sortable_by = ["task_name", "runs", "failures", "in_a_row"]
    change_form_template = "asyncsched/admin/task.html"
    actions = ["run_now", "pause", "resume"]
    fieldsets = [
        (None, {"fields": ["task", "description", "schedule", "options", "coming", "elsewhere"]}),
        ("How it stands", {"fields": ["is_paused", "runs", "failures", "consecutive_failures", "asked", "alerted"]}),
        (
            "The last run",
            {"fields": ["last_status", "last_trigger", "scheduled", "started", "took", "error", "succeeded"]},
        ),
    ]
    readonly_fields = [
        "description", "schedule", "options", "coming", "elsewhere", "is_paused", "asked", "alerted", "scheduled",
        "started", "took", "error", "succeeded",
    ]  # fmt: skip
    scheduled = staticmethod(display.moment_of("last_scheduled_for"))
    alerted = staticmethod(display.moment_of("alerted_at", "told that a success is overdue"))

    def get_list_display(self, request: HttpRequest) -> list[str | Callable[[Any], str | bool]]:
        """Return the columns; the schedules of all rows come of asking once."""
        known = definitions.load()

        @admin.display(description="schedule")
        def schedule(state: TaskState) -> str:
            return known.schedule(state.task)

        counts = ["runs", "failures", "in_a_row"]
        return ["task_name", schedule, "is_paused", "last_status", "started", "next_run", *counts]

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may have tasks run, paused and resumed."""
        return request.user.has_perm(RUN)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show every known task, also one that has not run yet: it too may have to be paused."""
        if self.has_view_permission(request):
            missing = definitions.load().names - set(TaskState.objects.values_list("task", flat=True))
            TaskState.objects.bulk_create([TaskState(task=name) for name in missing], ignore_conflicts=True)
        return super().changelist_view(request, extra_context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may_run = {"may_run": self.has_run_permission(request)}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | may_run)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.act))
        return [path("<path:object_id>/act/<str:verb>/", view, name="asyncsched_taskstate_act"), *super().get_urls()]

    def act(self, request: HttpRequest, object_id: str, verb: str) -> HttpResponse:
        """Do what the button *verb* of a task's page says."""
        if not self.has_run_permission(request) or not self.has_view_permission(request):
            raise PermissionDenied
        state = self.get_object(request, unquote(object_id))
        if state is None or verb not in VERBS:
            raise Http404
        self._do(request, verb, [state])
        return HttpResponseRedirect(reverse("admin:asyncsched_taskstate_change", args=[object_id]))

    @admin.action(description="Run the selected tasks now", permissions=["run"])
    def run_now(self, request: HttpRequest, queryset: QuerySet[TaskState]) -> None:
        self._do(request, "run", list(queryset))

    @admin.action(description="Pause the selected tasks", permissions=["run"])
    def pause(self, request: HttpRequest, queryset: QuerySet[TaskState]) -> None:
        self._do(request, "pause", list(queryset))

    @admin.action(description="Resume the selected tasks", permissions=["run"])
    def resume(self, request: HttpRequest, queryset: QuerySet[TaskState]) -> None:
        self._do(request, "resume", list(queryset))

    def _do(self, request: HttpRequest, verb: str, states: list[TaskState]) -> None:
        """Do it to each, and write down who did."""
        done = []
        for state in states:
            if told := VERBS[verb](state.task, request.user.get_username()):
                self.log_change(request, state, told)
                done.append(state.task)
        if done:
            self.message_user(request, DONE[verb].format(", ".join(done)))
        else:
            self.message_user(request, "Nothing to change: it was so already.", messages.INFO)

    @admin.display(description="description")
    def description(self, state: TaskState) -> str:
        task = definitions.here().get(state.task)
        return task.options.description if task else ""

    @admin.display(description="schedule")
    def schedule(self, state: TaskState) -> str:
        return definitions.load().schedule(state.task)

    @admin.display(description="how it runs")
    def options(self, state: TaskState) -> str:
        task = definitions.here().get(state.task)
        return format_html_join("", "{}: {}<br>", definition(task)[1:]) if task else "-"

    @admin.display(description="next occurrences")
    def coming(self, state: TaskState) -> str:
        """The next ones by its schedule, in the project's time zone, whether it is paused or not."""
        task = definitions.here().get(state.task)
        moments = coming(task, timezone.now()) if task else []
        return format_html_join("", "{}<br>", ((display.moment(moment),) for moment in moments)) or "-"

    @admin.display(description="see also")
    def elsewhere(self, state: TaskState) -> SafeString:
        return display.links(
            [
                ("The task's page", display.page("asyncsched:task", state.task)),
                ("Its runs", display.page("admin:asyncsched_taskrun_changelist", task=state.task)),
                ("What did not run, and why", display.page("admin:asyncsched_taskskip_changelist", task=state.task)),
                ("When it held up the loop", display.page("admin:asyncsched_loopstall_changelist", task=state.task)),
            ]
        )

    @admin.display(description="in a row", ordering="consecutive_failures")
    def in_a_row(self, state: TaskState) -> int:
        return state.consecutive_failures

    @admin.display(description="paused")
    def is_paused(self, state: TaskState) -> str:
        return "yes" if state.paused else "no"

    @admin.display(description="run asked for")
    def asked(self, state: TaskState) -> str:
        return f"{display.moment(state.run_asked_at)} by {state.run_asked_by}" if state.run_asked_at else "-"

    @admin.display(description="took")
    def took(self, state: TaskState) -> str:
        return "-" if state.last_duration is None else f"{state.last_duration:.3f}\N{NO-BREAK SPACE}s"

    @admin.display(description="error")
    def error(self, state: TaskState) -> str:
        return display.verbatim(state.last_error)
