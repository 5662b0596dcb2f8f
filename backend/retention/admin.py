"""How tables look in the admin that the system writes and people only read; and the run-time settings."""

from typing import Any

from constance.admin import Config, ConstanceAdmin
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from asyncsched.admin import display, records
from asyncsched.admin.filters import ByTime, by
from retention.audit import changes_by
from retention.models import SettingChange


class RecordAdmin(records.RecordAdmin):
    """Rows to read and, if need be, to delete; never to write."""

    may_be_deleted = True
    actions: Any = ()


@admin.register(SettingChange)
class SettingChangeAdmin(RecordAdmin):
    """The audit trail, to read only."""

    time = "at"
    may_be_deleted = False
    when = staticmethod(display.moment_of("at", "when"))
    list_display = ["when", "who", "setting", "old", "new"]
    fields = ["when", "who", "setting", "old", "new"]
    readonly_fields = ["when"]
    list_filter = [ByTime, by("setting")]
    search_fields = ["who"]


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
