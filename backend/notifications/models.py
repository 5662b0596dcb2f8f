"""The outbox: messages to people, until they are delivered. All times are UTC."""

from django.db import models
from django.utils import timezone


class Status(models.TextChoices):
    """Where a message is on its way."""

    PENDING = "pending", "waiting"
    SENDING = "sending", "being sent"
    SENT = "sent", "sent"
    DEAD = "dead", "given up"


class Notification(models.Model):
    """One message. It is written with its cause and sent afterwards: see ``notifications.outbox``."""

    title = models.CharField(max_length=200, blank=True)
    body = models.TextField()
    channel = models.CharField(
        max_length=100, blank=True, help_text="sent to the NOTIFY_URLS with ?tag=<channel>; to all of them if empty"
    )
    idempotency_key = models.CharField(
        max_length=200, null=True, blank=True, unique=True, help_text="a second message with this key is not queued"
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    attempts = models.PositiveIntegerField(default=0, help_text="how often a sender has taken it up")
    next_attempt_at = models.DateTimeField(
        default=timezone.now, help_text="while it is being sent: when another sender may take it over"
    )
    claim = models.UUIDField(null=True, blank=True, editable=False)
    delivered_to = models.JSONField(default=list, blank=True, help_text="the targets that have it already")
    last_error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(status__in=(Status.PENDING, Status.SENDING)),
                name="notification_due",
            )
        ]

    def __str__(self) -> str:
        return self.title or self.body[:50]
