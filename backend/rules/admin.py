from django.contrib import admin
from django.utils.html import format_html

from retention.admin import RecordAdmin
from rules.conditions import lines
from rules.models import Rule, RuleActionLog, RuleEntityRef, RuleRuntime


@admin.register(Rule)
class RuleAdmin(admin.ModelAdmin):
    """Rules, to write: a definition with a mistake is refused with the place of it."""

    list_display = ["name", "enabled", "holds", "holds_since", "last_fired_at", "cooldown_seconds", "problem"]
    list_filter = ["enabled"]
    search_fields = ["name"]
    readonly_fields = [
        "problem",
        "holds",
        "holds_since",
        "look_at",
        "last_fired_at",
        "suspended_until",
        "created_at",
        "updated_at",
    ]


@admin.register(RuleEntityRef)
class RuleEntityRefAdmin(RecordAdmin):
    """Which rule names which entity."""

    list_display = ["entity_id", "rule", "created_at"]
    list_select_related = ["rule"]
    search_fields = ["entity_id", "rule__name"]


class TraceAdmin(RecordAdmin):
    """Rows with a trace, shown as the lines that people read."""

    exclude = ["trace"]
    readonly_fields = ["why"]

    @admin.display(description="why")
    def why(self, row: RuleRuntime | RuleActionLog) -> str:
        """The condition, part by part, with what was seen."""
        return format_html("<pre>{}</pre>", "\n".join(lines(row.trace))) if row.trace else "-"


@admin.register(RuleRuntime)
class RuleRuntimeAdmin(TraceAdmin):
    """What is due, and what became of what was."""

    list_display = ["due_at", "rule", "status", "waits", "next_step", "attempts", "next_attempt_at", "last_error"]
    list_filter = ["status", "rule"]
    list_select_related = ["rule"]
    date_hierarchy = "due_at"


@admin.register(RuleActionLog)
class RuleActionLogAdmin(TraceAdmin):
    """What rules did."""

    list_display = ["created_at", "rule", "step", "action", "status", "detail"]
    list_filter = ["status", "action", "rule"]
    list_select_related = ["rule"]
    search_fields = ["detail"]
    date_hierarchy = "created_at"
