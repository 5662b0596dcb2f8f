"""How tables look in the admin that the system writes and people only read; and the run-time settings."""

from typing import Any

from constance.admin import Config, ConstanceAdmin
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from retention.audit import changes_by
from retention.models import SettingChange


class RecordAdmin(admin.ModelAdmin):
    """Rows to read and, if need be, to delete; never to write.

    Made for tables that grow: it counts no more rows than it has to.
    """

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, *_: object, **__: object) -> bool:
        return False

    def has_change_permission(self, *_: object, **__: object) -> bool:
        return False


@admin.register(SettingChange)
class SettingChangeAdmin(RecordAdmin):
    """The audit trail, to read only."""

    list_display = ["when", "who", "setting", "old", "new"]
    fields = ["when", "who", "setting", "old", "new"]
    list_filter = ["setting", "at"]
    search_fields = ["who"]
    date_hierarchy = "at"

    @admin.display(ordering="at")
    def when(self, change: SettingChange) -> str:
        """Show the time to the second, with its zone."""
        return f"{timezone.localtime(change.at):%Y-%m-%d %H:%M:%S %Z}"

    def has_delete_permission(self, *_: object, **__: object) -> bool:
        return False


class SettingsAdmin(ConstanceAdmin):
    """The run-time settings: all that one form changes is changed together, and by the one who sent it."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the settings, or change them."""
        if request.method != "POST":
            return self._settings(request, extra_context)
        with changes_by(request.user.get_username()), transaction.atomic():
            return self._settings(request, extra_context)

    def _settings(self, request: HttpRequest, extra_context: dict[str, Any] | None) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def history_view(self, request: HttpRequest, *_: object, **__: object) -> HttpResponse:
        """Lead to the audit trail; constance's own history knows neither values nor the command line."""
        return redirect("admin:retention_settingchange_changelist")


admin.site.unregister([Config])  # type: ignore[list-item]  # made to look like a model
admin.site.register([Config], SettingsAdmin)
