from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from notifications import outbox
from notifications.models import Notification
from retention.admin import RecordAdmin


@admin.register(Notification)
class NotificationAdmin(RecordAdmin):
    """The outbox; messages that were given up can be sent again."""

    list_display = ["created_at", "title", "channel", "status", "attempts", "next_attempt_at", "sent_at", "last_error"]
    list_filter = ["status", "channel", "created_at"]
    search_fields = ["title", "body"]
    date_hierarchy = "created_at"
    actions = ["send_again"]

    @admin.action(description="Send again what was given up", permissions=["delete"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        """Give the selected messages a fresh start, if they were given up."""
        count = outbox.send_again(queryset, now=timezone.now())
        self.message_user(request, f"{count} will be sent again.")
