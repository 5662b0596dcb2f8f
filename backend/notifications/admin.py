from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from asyncsched.admin import display
from asyncsched.admin.filters import ByTime, by
from notifications import outbox, policies, wording
from notifications.models import Channel, Notification, Status
from notifications.policies import Policies
from retention.admin import RecordAdmin

MOST_SHOWN = 60  # characters of a text, in the list


@admin.register(Notification)
class NotificationAdmin(RecordAdmin):
    """The outbox: what waits and why, what was sent; to be cancelled or sent again."""

    time = "created_at"
    created = staticmethod(display.moment_of("created_at"))
    sent = staticmethod(display.moment_of("sent_at"))
    list_filter = [ByTime, by("status"), by("urgent"), by("channel")]
    search_fields = ["title", "body"]
    actions = ["send_again", "cancel"]
    fieldsets = [
        (None, {"fields": ["id", "title", "body", "channel", "urgent", "cause", "created"]}),
        ("What becomes of it", {"fields": ["status", "outlook", "attempts", "last_error", "sent", "delivered"]}),
        ("Repeats", {"fields": ["repeats", "part_of"]}),
    ]
    readonly_fields = ["created", "sent", "cause", "outlook", "delivered"]

    def get_list_display(self, request: HttpRequest) -> list[str | Callable[[Any], str | bool]]:
        """Return the columns; what comes next is told of all rows by the channels as they are now."""
        known = policies.load()

        @admin.display(description="what comes next")
        def outlook(row: Notification) -> str:
            return _outlook(row, known)

        return ["id", "created", "message", "way", "repeats", "status", outlook, "last_error"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notification]:
        """Return the notifications, each with the time until which another of its kind holds it back."""
        rows: QuerySet[Notification] = super().get_queryset(request)
        leading = Notification.objects.filter(leads=OuterRef("kind")).exclude(pk=OuterRef("pk"))
        return rows.annotate(held_until=Subquery(leading.values("leads_until")))

    @admin.display(description="message")
    def message(self, row: Notification) -> str:
        """Show the title and the beginning of the text."""
        start = row.body if len(row.body) <= MOST_SHOWN else f"{row.body[: MOST_SHOWN - 1]}…"
        return format_html("<strong>{}</strong> {}", row.title, start) if row.title else start

    @admin.display(description="channel")
    def way(self, row: Notification) -> str:
        """Show where it goes, and whether at once."""
        return ", ".join(filter(None, (row.channel or "all", "urgent" if row.urgent else "")))

    @admin.display(description="cause")
    def cause(self, row: Notification) -> str:
        """Show by which key it was queued, with a link to what that names, such as the firing of a rule."""
        return display.reference(row.idempotency_key or "") or display.NOTHING

    @admin.display(description="delivered to")
    def delivered(self, row: Notification) -> str:
        """Show which targets have it."""
        return ", ".join(map(str, row.delivered_to)) or display.NOTHING

    @admin.display(description="what comes next")
    def outlook(self, row: Notification) -> str:
        """Say when it is sent, or why not."""
        return _outlook(row, policies.load())

    @admin.action(description="Send again what was given up or cancelled", permissions=["delete"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        """Give the selected messages a fresh start, if they were given up or cancelled."""
        count = outbox.send_again(_plain(queryset), now=timezone.now())
        self.message_user(request, f"{count} will be sent again.")

    @admin.action(description="Cancel what waits", permissions=["delete"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        """Cancel the selected messages that wait; those that are being sent are left alone, and said so."""
        chosen = _plain(queryset)
        count = outbox.cancel(chosen)
        self.message_user(request, f"{count} cancelled.")
        if left := chosen.filter(status=Status.SENDING).count():
            self.message_user(request, f"{left} being sent at this moment: not cancelled.", messages.WARNING)


@admin.register(Channel)
class ChannelAdmin(admin.ModelAdmin):
    """How each channel sends. A channel without an entry here has the defaults of a new one."""

    list_display = ["__str__", "enabled", "attempts", "delays", "quiet", "collapse"]
    fieldsets = [
        (None, {"fields": ["name", "enabled"]}),
        ("When it cannot be delivered", {"fields": ["attempts", "first_delay_seconds", "longest_delay_seconds"]}),
        ("Quiet hours", {"fields": ["quiet_from", "quiet_until", "time_zone"]}),
        ("Repeats", {"fields": ["collapse_seconds"]}),
    ]

    @admin.display(description="delays")
    def delays(self, channel: Channel) -> str:
        """Show the first delay and the longest."""
        return f"{channel.first_delay_seconds} to {channel.longest_delay_seconds} s"

    @admin.display(description="quiet hours")
    def quiet(self, channel: Channel) -> str:
        """Show the quiet hours with their zone."""
        return str(policies.Policy.of(channel).quiet or "none")

    @admin.display(description="repeats")
    def collapse(self, channel: Channel) -> str:
        """Say what becomes of repeats."""
        length = policies.Policy.of(channel).collapse
        return f"as one within {wording.span(length)}" if length else "each is sent"


def _outlook(row: Notification, known: Policies) -> str:
    held_until = getattr(row, "held_until", None)
    return wording.outlook(row, known.of(row.channel), timezone.now(), held_until=held_until)


def _plain(queryset: QuerySet[Notification]) -> QuerySet[Notification]:
    """Return the same rows without the annotation, fit to be updated."""
    return Notification.objects.filter(pk__in=list(queryset.values_list("pk", flat=True)))
