"""The state of the alarm, the codes that people type, and what happened. All times are UTC."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from alarm.machine import Mode, State


class AlarmEvent(models.Model):
    """One thing worth remembering: a rule that fired, a change of state, a wrong code."""

    kind = models.CharField(max_length=50, help_text="what happened, as a machine calls it: rule_fired")
    message = models.CharField(max_length=500, blank=True, help_text="what happened, as people say it")
    source = models.CharField(max_length=100, blank=True, help_text="who says so: rule:12")
    details = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["kind", "-created_at"], name="alarm_event_kind")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}" if self.message else self.kind


class AlarmState(models.Model):
    """The one row that says how the alarm is. ``alarm.arming`` alone writes it."""

    state = models.CharField(max_length=20, choices=State.choices, default=State.DISARMED)
    mode = models.CharField(max_length=10, choices=Mode.choices, blank=True, help_text="empty while disarmed")
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True, blank=True, help_text="when the state ends by itself")
    version = models.PositiveBigIntegerField(default=0, help_text="how often it has changed")

    class Meta:
        permissions = [("operate", "May disarm without a code while there is none")]

    def __str__(self) -> str:
        return self.get_state_display()


class AlarmCode(models.Model):
    """A code of a person. Only its hash is kept; it is set by the form in the admin."""

    label = models.CharField(max_length=50, unique=True, help_text="whose it is, for the list of events")
    hash = models.CharField(max_length=255, editable=False)
    enabled = models.BooleanField(default=True)
    may_arm = models.BooleanField(default=True)
    may_disarm = models.BooleanField(default=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        help_text="if set, it counts for this user alone",
    )
    valid_until = models.DateTimeField(null=True, blank=True, help_text="a guest's code ends by itself")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["label"]

    def __str__(self) -> str:
        return self.label
