"""A window on what the house said. Nobody edits it: the next message would undo the edit."""

from django.contrib import admin

from home.models import Entity, FrigateDetection, FrigateReview
from retention.admin import RecordAdmin


@admin.register(Entity)
class EntityAdmin(RecordAdmin):
    """Entities by id, with their state."""

    list_display = ["entity_id", "name", "state", "last_changed", "removed_at"]
    list_filter = ["domain", ("removed_at", admin.EmptyFieldListFilter)]
    search_fields = ["entity_id", "name"]


@admin.register(FrigateDetection)
class FrigateDetectionAdmin(RecordAdmin):
    """Detections, newest first."""

    list_display = ["label", "sub_label", "camera", "top_score", "started_at", "ended_at"]
    list_filter = ["camera", "stationary"]
    search_fields = ["event_id", "sub_label"]


@admin.register(FrigateReview)
class FrigateReviewAdmin(RecordAdmin):
    """Reviews, newest first."""

    list_display = ["severity", "camera", "what", "started_at", "ended_at"]
    list_filter = ["severity", "camera"]
    search_fields = ["review_id"]

    @admin.display(description="labels")
    def what(self, review: FrigateReview) -> str:
        return ", ".join(review.labels)
