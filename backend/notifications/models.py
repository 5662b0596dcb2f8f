"""The outbox: messages to people, until they are delivered, and how each channel sends. All times are UTC."""

import zoneinfo
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

DAY = 86_400  # seconds


class Status(models.TextChoices):
    """Where a message is on its way."""

    PENDING = "pending", "waiting"
    SENDING = "sending", "being sent"
    SENT = "sent", "sent"
    MERGED = "merged", "part of another"
    DEAD = "dead", "given up"
    CANCELLED = "cancelled", "cancelled"


class Notification(models.Model):
    """One message. It is written with its cause and sent afterwards: see ``notifications.outbox``."""

    title = models.CharField(max_length=200, blank=True)
    body = models.TextField()
    channel = models.CharField(
        max_length=100, blank=True, help_text="sent to the NOTIFY_URLS that have it as ?tag=; to all of them if empty"
    )
    urgent = models.BooleanField(
        default=False, db_default=False, help_text="goes before all others and is never held back"
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

    # With db_default, so that processes of the version before can still write while a deploy goes on.
    kind = models.CharField(
        max_length=64,
        blank=True,
        db_default="",
        editable=False,
        help_text="messages of one kind are repeats of each other",
    )
    leads = models.CharField(
        max_length=64, null=True, blank=True, unique=True, editable=False, help_text="the kind it speaks for"
    )
    leads_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="its repeats are held back until then; empty: until it is sent"
    )
    follows_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="when the message was sent after which it was held back"
    )
    repeats = models.PositiveIntegerField(
        default=1, db_default=1, help_text="for how many messages of its kind it speaks"
    )
    part_of = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="parts",
        help_text="the message of its kind that it went with",
    )

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


def _between(least: int, most: int) -> list[MinValueValidator | MaxValueValidator]:
    return [MinValueValidator(least), MaxValueValidator(most)]


class Channel(models.Model):
    """How the messages of one channel are sent. A channel without a row has the defaults below."""

    name = models.CharField(
        max_length=100,
        blank=True,
        unique=True,
        help_text="The tag in NOTIFY_URLS, as in ?tag=family. Empty: the messages that go to all addresses.",
    )
    enabled = models.BooleanField(
        default=True, help_text="Off: its messages wait until it is on again. Urgent ones are sent all the same."
    )
    attempts = models.PositiveSmallIntegerField(
        default=10, validators=_between(1, 100), help_text="So often a message is tried before it is given up, 1 to 100"
    )
    first_delay_seconds = models.PositiveIntegerField(
        default=10,
        validators=_between(1, DAY),
        help_text="After the first attempt that failed; each further delay is 2.5 times as long. 1 to 86400 seconds",
    )
    longest_delay_seconds = models.PositiveIntegerField(
        default=3600, validators=_between(1, DAY), help_text="No delay is longer. 1 to 86400 seconds"
    )
    quiet_from = models.TimeField(
        null=True, blank=True, help_text="From then on messages wait, unless they are urgent. Empty: no quiet hours"
    )
    quiet_until = models.TimeField(
        null=True, blank=True, help_text="Until then; if it is not later than the beginning, on the day after"
    )
    time_zone = models.CharField(
        max_length=64, blank=True, help_text="Of the quiet hours, such as Europe/Berlin. Empty: TIME_ZONE of the server"
    )
    collapse_seconds = models.PositiveIntegerField(
        default=0,
        validators=_between(0, DAY),
        help_text="Repeats of a message within this time after it are sent as one, "
        "and repeats that wait together too. 0 to 86400 seconds; 0 sends every one",
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name or "all addresses"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save what senders can work with; raise ValidationError, also outside of forms, for anything else."""
        self.full_clean()
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Raise ValidationError, field by field, for what contradicts itself."""
        if errors := dict(self._mistakes()):
            raise ValidationError(errors)

    def _mistakes(self) -> Iterator[tuple[str, str]]:
        first, longest = self.first_delay_seconds, self.longest_delay_seconds
        if first is not None and longest is not None and longest < first:
            yield "longest_delay_seconds", "It must not be shorter than the first delay."
        if (self.quiet_from is None) != (self.quiet_until is None):
            yield (
                ("quiet_from" if self.quiet_from is None else "quiet_until"),
                "Quiet hours need a beginning and an end.",
            )
        elif self.quiet_from is not None and self.quiet_from == self.quiet_until:
            yield "quiet_until", "Quiet hours that end when they begin would never end: switch the channel off instead."
        if self.time_zone and self.time_zone not in zoneinfo.available_timezones():
            yield "time_zone", "There is no time zone of this name. Names are such as Europe/Berlin."
