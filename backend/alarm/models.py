"""What happened in and to the alarm system. All times are UTC."""

from django.db import models
from django.utils import timezone


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
