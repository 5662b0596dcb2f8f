"""What the house said last: entities of Home Assistant, detections and reviews of Frigate. All times are UTC."""

from django.db import models


class Entity(models.Model):
    """One entity of Home Assistant, as its last sync saw it. It stays, marked, when it vanishes there."""

    entity_id = models.CharField(max_length=255, unique=True)
    domain = models.CharField(max_length=64, db_index=True)
    name = models.CharField(max_length=255, blank=True, help_text="its friendly_name")
    state = models.CharField(max_length=255)
    attributes = models.JSONField(default=dict, blank=True)
    last_changed = models.DateTimeField(help_text="when its state last became another")
    last_updated = models.DateTimeField(help_text="when its state or attributes were last written")
    removed_at = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text="since when Home Assistant no longer knows it"
    )

    class Meta:
        ordering = ["entity_id"]
        indexes = [models.Index(fields=["-last_changed"], name="home_entity_changed")]
        verbose_name_plural = "entities"

    def __str__(self) -> str:
        return self.entity_id


class FrigateDetection(models.Model):
    """One object a camera followed: a Frigate event, from its first frame to its last."""

    event_id = models.CharField(max_length=100, unique=True)
    camera = models.CharField(max_length=100)
    label = models.CharField(max_length=100)
    sub_label = models.CharField(max_length=255, blank=True, help_text="a known face, plate or parcel service")
    score = models.FloatField(help_text="of the latest frame, 0 to 1")
    top_score = models.FloatField(help_text="the best so far, 0 to 1")
    stationary = models.BooleanField(
        default=False,
        db_default=False,  # while a replica still runs that does not know it
        help_text="seen, but standing still, such as a parked car",
    )
    zones = models.JSONField(default=list, blank=True, help_text="the zones it has entered, in that order")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, help_text="empty while it is still followed")
    updated_at = models.DateTimeField(help_text="the time of the newest frame heard of")

    class Meta:
        ordering = ["-started_at"]
        indexes = [
            models.Index(fields=["updated_at"], name="home_detection_retention"),
            models.Index(fields=["camera", "-started_at"], name="home_detection_camera"),
            models.Index(fields=["-started_at"], name="home_detection_started"),
        ]

    def __str__(self) -> str:
        return f"{self.label} at {self.camera} ({self.event_id})"


class FrigateReview(models.Model):
    """A stretch of time at a camera that Frigate thinks worth a look. Frigate has them since 0.14."""

    review_id = models.CharField(max_length=100, unique=True)
    camera = models.CharField(max_length=100)
    severity = models.CharField(max_length=10, choices=[("alert", "alert"), ("detection", "detection")])
    labels = models.JSONField(default=list, blank=True, help_text="of objects and sounds")
    zones = models.JSONField(default=list, blank=True)
    detections = models.JSONField(default=list, blank=True, help_text="the ids of its events")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, help_text="empty while it lasts")

    class Meta:
        ordering = ["-started_at"]
        indexes = [
            models.Index(fields=["-started_at"], name="home_review_started"),
            models.Index(fields=["camera", "-started_at"], name="home_review_camera"),
        ]

    def __str__(self) -> str:
        return f"{self.severity} at {self.camera} ({self.review_id})"
