"""Rules in the admin: to write, with the mistakes in them and what they mean; what they wait for; what they did."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from asyncsched.admin import display
from asyncsched.admin.filters import ByTime, by
from retention.admin import RecordAdmin
from rules.conditions import lines
from rules.definitions import DefinitionError
from rules.explain import explain
from rules.forms import RuleForm
from rules.models import Rule, RuleActionLog, RuleEntityRef, RuleRuntime
from rules.preview import preview, tidy

LATELY = 10
MOST_RULES = 1_000


def _rules() -> Iterable[tuple[str, str]]:
    return [(str(pk), name) for pk, name in Rule.objects.values_list("pk", "name")[:MOST_RULES]]


def _link(rule: Rule) -> str:
    return format_html('<a href="{}">{}</a>', display.page("admin:rules_rule_change", rule.pk), rule.name)


def _log_line(log: RuleActionLog) -> tuple[str | None, ...]:
    address = display.page("admin:rules_ruleactionlog_change", log.pk)
    detail = f". {log.detail}" if log.detail else ""
    return address, display.moment(log.created_at), log.action, log.get_status_display(), detail


@admin.register(Rule)
class RuleAdmin(admin.ModelAdmin):
    """Rules, to write: a definition with a mistake is refused with the place of it."""

    form = RuleForm
    fired = staticmethod(display.moment_of("last_fired_at"))
    list_display = ["name", "enabled", "holds", "fired", "problem"]
    list_filter = ["enabled"]
    search_fields = ["name"]
    since = staticmethod(display.moment_of("holds_since"))
    looks = staticmethod(display.moment_of("look_at", "looks again"))
    rests = staticmethod(display.moment_of("suspended_until"))
    created = staticmethod(display.moment_of("created_at"))
    updated = staticmethod(display.moment_of("updated_at"))
    standing = ("holds", "since", "looks", "fired", "rests", "problem", "created", "updated")
    readonly_fields = (*standing, "as_written", "now", "lately")

    def get_fieldsets(self, request: HttpRequest, obj: Rule | None = None) -> Any:
        """Return what is shown: to who may only look, the definition as it is read, not as it is edited."""
        definition = "definition" if self._may_write(request, obj) else "as_written"
        written = [(None, {"fields": ["name", "enabled", definition, "cooldown_seconds"]})]
        if obj is None:
            return written
        return [
            *written,
            ("Would it fire now?", {"fields": ["now"]}),
            ("What it did lately", {"fields": ["lately"]}),
            ("How it stands", {"fields": self.standing}),
        ]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.check_definition))
        return [path("check/", view, name="rules_rule_check"), *super().get_urls()]

    def check_definition(self, request: HttpRequest) -> HttpResponse:
        """Say what is wrong with a definition that somebody writes, or what it means. Nothing is stored."""
        if not self._may_write(request):
            raise PermissionDenied
        return JsonResponse(preview(request.POST.get("definition", "")).as_json())

    def _may_write(self, request: HttpRequest, obj: Rule | None = None) -> bool:
        return self.has_change_permission(request, obj) or (obj is None and self.has_add_permission(request))

    @admin.display(description="definition")
    def as_written(self, rule: Rule) -> str:
        """Show the definition, and what it says in words."""
        text = tidy(rule.definition)
        return display.verbatim("\n".join((text, "", *preview(text).in_words)))

    @admin.display(description="as it is saved")
    def now(self, rule: Rule) -> str:
        """Explain, step by step, what it would do at this moment."""
        try:
            explanation = explain(rule, timezone.now(), states={}, is_now=True)
        except DefinitionError as error:
            return f"It cannot be executed: {error}"
        return display.verbatim("\n".join(explanation.lines()))

    @admin.display(description="latest first")
    def lately(self, rule: Rule) -> SafeString:
        """Show its latest log entries, each with a link to its trace, and where there are more."""
        logs = rule.action_logs.order_by("-created_at", "-pk")[:LATELY]
        rows = format_html_join("", '<a href="{}">{}</a> {}: {}{}<br>', map(_log_line, logs))
        return rows + display.links(
            [
                ("All of its log", display.page("admin:rules_ruleactionlog_changelist", rule=rule.pk)),
                ("What waits", display.page("admin:rules_ruleruntime_changelist", rule=rule.pk)),
                ("Its events", display.page("admin:alarm_alarmevent_changelist", source=f"rule:{rule.pk}")),
            ]
        )


@admin.register(RuleEntityRef)
class RuleEntityRefAdmin(RecordAdmin):
    """Which rule names which entity."""

    list_display = ["entity_id", "of_rule"]
    list_select_related = ["rule"]
    search_fields = ["entity_id", "rule__name"]
    ordering = ["entity_id"]

    @admin.display(description="rule")
    def of_rule(self, reference: RuleEntityRef) -> str:
        return _link(reference.rule)


class TraceAdmin(RecordAdmin):
    """Rows of a rule with a trace, shown as the lines that people read."""

    list_select_related = ["rule"]
    created = staticmethod(display.moment_of("created_at"))
    finished = staticmethod(display.moment_of("finished_at"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows without their traces, which only the page of a row shows."""
        return super().get_queryset(request).defer("trace")

    @admin.display(description="rule")
    def of_rule(self, row: RuleRuntime | RuleActionLog) -> str:
        return _link(row.rule)

    @admin.display(description="why")
    def why(self, row: RuleRuntime | RuleActionLog) -> str:
        """The condition, part by part, with what was seen."""
        return display.verbatim("\n".join(lines(row.trace))) if row.trace else display.NOTHING


@admin.register(RuleRuntime)
class RuleRuntimeAdmin(TraceAdmin):
    """What is due, and what became of what was; what is due last comes first."""

    time = "due_at"
    due = staticmethod(display.moment_of("due_at"))
    next_attempt = staticmethod(display.moment_of("next_attempt_at"))
    list_display = ["due", "of_rule", "status", "next_step", "attempts", "next_attempt", "last_error"]
    list_filter = [by("status"), by("rule", values=_rules)]
    fieldsets = [
        (None, {"fields": ["of_rule", "status", "due", "waits", "why", "what"]}),
        ("Execution", {"fields": ["next_step", "attempts", "next_attempt", "last_error", "created", "finished"]}),
    ]
    readonly_fields = ["of_rule", "due", "why", "what", "next_attempt", "created", "finished"]

    @admin.display(description="actions")
    def what(self, runtime: RuleRuntime) -> str:
        """Show the actions as the definition was when the rule fired."""
        return display.indented(runtime.actions)


@admin.register(RuleActionLog)
class RuleActionLogAdmin(TraceAdmin):
    """What rules did."""

    time = "created_at"
    list_display = ["created", "of_rule", "step", "action", "status", "detail"]
    list_filter = [ByTime, by("status"), by("action"), by("rule", values=_rules)]
    search_fields = ["detail"]
    fields = ["created", "of_rule", "runtime", "step", "action", "status", "detail", "why", "began", "finished"]
    readonly_fields = ["created", "of_rule", "why", "began", "finished"]
    began = staticmethod(display.moment_of("started_at"))
