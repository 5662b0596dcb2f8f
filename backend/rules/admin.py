from django.contrib import admin

from retention.admin import RecordAdmin
from rules.models import Rule, RuleActionLog, RuleEntityRef, RuleRuntime


@admin.register(Rule)
class RuleAdmin(admin.ModelAdmin):
    """Rules, to write: a definition with a mistake is refused with the place of it."""

    list_display = ["name", "enabled", "cooldown_seconds", "last_fired_at", "updated_at"]
    list_filter = ["enabled"]
    search_fields = ["name"]
    readonly_fields = ["last_fired_at", "created_at", "updated_at"]


@admin.register(RuleEntityRef)
class RuleEntityRefAdmin(RecordAdmin):
    """Which rule names which entity."""

    list_display = ["entity_id", "rule", "created_at"]
    list_select_related = ["rule"]
    search_fields = ["entity_id", "rule__name"]


@admin.register(RuleRuntime)
class RuleRuntimeAdmin(RecordAdmin):
    """What is due, and what became of what was."""

    list_display = ["due_at", "rule", "status", "next_step", "attempts", "next_attempt_at", "last_error"]
    list_filter = ["status", "rule"]
    list_select_related = ["rule"]
    date_hierarchy = "due_at"


@admin.register(RuleActionLog)
class RuleActionLogAdmin(RecordAdmin):
    """What rules did."""

    list_display = ["created_at", "rule", "step", "action", "status", "detail"]
    list_filter = ["status", "action", "rule"]
    list_select_related = ["rule"]
    search_fields = ["detail"]
    date_hierarchy = "created_at"
