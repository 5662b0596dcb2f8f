"""The audit trail of run-time settings."""

from django.db import models
from django.utils import timezone


class SettingChange(models.Model):
    """One change of one run-time setting. Written with the change, never altered, and kept for ever."""

    at = models.DateTimeField(default=timezone.now, db_index=True, help_text="UTC")
    who = models.CharField(max_length=200, help_text="the user of the admin, or the user of the system elsewhere")
    setting = models.CharField(max_length=255)
    old = models.TextField(blank=True, verbose_name="from")
    new = models.TextField(blank=True, verbose_name="to")

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "change of a setting"
        verbose_name_plural = "changes of settings"
        default_permissions = ["view"]

    def __str__(self) -> str:
        return f"{self.setting}: {self.old} → {self.new}"
