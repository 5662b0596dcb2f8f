import json
from typing import Any

from django.contrib import admin
from django.forms import Textarea
from django.utils.html import format_html

from retention.admin import RecordAdmin
from rules.conditions import lines
from rules.models import Rule, RuleActionLog, RuleEntityRef, RuleRuntime


class Indented(json.JSONEncoder):
    """JSON as people write it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**(options | {"indent": 2}))


@admin.register(Rule)
class RuleAdmin(admin.ModelAdmin):
    """Rules, to write: a definition with a mistake is refused with the place of it."""

    list_display = ["name", "enabled", "holds", "last_fired_at", "problem"]
    list_filter = ["enabled"]
    search_fields = ["name"]
    readonly_fields = (*Rule.STATE, "created_at", "updated_at")
    fieldsets = [
        (None, {"fields": ["name", "enabled", "definition", "cooldown_seconds"]}),
        ("How it stands", {"fields": (*readonly_fields,)}),
    ]

    def formfield_for_dbfield(self, db_field: Any, request: Any, **options: Any) -> Any:
        if db_field.name == "definition":
            style = {"rows": 24, "class": "vLargeTextField", "style": "font-family: monospace"}
            options |= {"encoder": Indented, "widget": Textarea(attrs=style)}
        return super().formfield_for_dbfield(db_field, request, **options)


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
