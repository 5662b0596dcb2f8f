from django.contrib import admin

from alarm.models import AlarmEvent
from retention.admin import RecordAdmin


@admin.register(AlarmEvent)
class AlarmEventAdmin(RecordAdmin):
    """What happened."""

    list_display = ["created_at", "kind", "message", "source"]
    list_filter = ["kind", "created_at"]
    search_fields = ["message", "source"]
    date_hierarchy = "created_at"
