"""A window on what the house said. Nobody edits it: the next message would undo the edit."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from asyncsched.admin import display
from asyncsched.admin.filters import ByTime, Menu, by
from home.models import Entity, FrigateDetection, FrigateReview
from retention.admin import RecordAdmin


class IsKnown(Menu):
    """Filters by whether Home Assistant still knows an entity."""

    title = "whether it still exists"
    parameter_name = "removed"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("0", "Exists"), ("1", "Removed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Entity]) -> QuerySet[Entity]:
        value = self.value()
        return queryset if value is None else queryset.filter(removed_at__isnull=value != "1")


@admin.register(Entity)
class EntityAdmin(RecordAdmin):
    """Entities by id, with their state. There are as many as a home has, so all of them may be looked through."""

    changed = staticmethod(display.moment_of("last_changed"))
    updated = staticmethod(display.moment_of("last_updated"))
    removed = staticmethod(display.moment_of("removed_at"))
    list_display = ["entity_id", "name", "state", "changed", "removed"]
    list_filter = [by("domain", is_indexed=True), IsKnown]
    search_fields = ["entity_id", "name"]
    sortable_by = ["entity_id", "changed"]
    fields = ["entity_id", "name", "state", "changed", "updated", "removed", "all_attributes"]
    readonly_fields = ["changed", "updated", "removed", "all_attributes"]

    @admin.display(description="attributes")
    def all_attributes(self, entity: Entity) -> str:
        """Show the attributes as people write them."""
        return display.indented(entity.attributes)


@admin.register(FrigateDetection)
class FrigateDetectionAdmin(RecordAdmin):
    """Detections, newest first."""

    time = "started_at"
    started = staticmethod(display.moment_of("started_at"))
    ended = staticmethod(display.moment_of("ended_at"))
    list_display = ["started", "camera", "what", "score_in_percent", "where", "ended"]
    list_filter = [ByTime, by("camera", is_indexed=True), by("label"), by("stationary")]
    search_fields = ["event_id", "sub_label"]
    sortable_by = ["started"]
    updated = staticmethod(display.moment_of("updated_at"))
    fields = [
        "event_id", "camera", "label", "sub_label", "score", "top_score", "stationary", "where", "started", "ended",
        "updated",
    ]  # fmt: skip
    readonly_fields = ["where", "started", "ended", "updated"]

    @admin.display(description="what")
    def what(self, detection: FrigateDetection) -> str:
        """Show the label, and what is known besides."""
        return f"{detection.label} ({detection.sub_label})" if detection.sub_label else detection.label

    @admin.display(description="best score")
    def score_in_percent(self, detection: FrigateDetection) -> str:
        """Show how sure Frigate was at best."""
        return f"{detection.top_score:.0%}"

    @admin.display(description="zones")
    def where(self, detection: FrigateDetection) -> str:
        """Show the zones in the order in which they were entered."""
        return ", ".join(detection.zones) or display.NOTHING


@admin.register(FrigateReview)
class FrigateReviewAdmin(RecordAdmin):
    """Reviews, newest first."""

    time = "started_at"
    started = staticmethod(display.moment_of("started_at"))
    ended = staticmethod(display.moment_of("ended_at"))
    list_display = ["started", "severity", "camera", "what", "ended"]
    list_filter = [ByTime, by("camera", is_indexed=True), by("severity")]
    search_fields = ["review_id"]
    sortable_by = ["started"]
    fields = ["review_id", "camera", "severity", "what", "where", "started", "ended", "its_detections"]
    readonly_fields = ["what", "where", "started", "ended", "its_detections"]

    @admin.display(description="labels")
    def what(self, review: FrigateReview) -> str:
        return ", ".join(review.labels)

    @admin.display(description="zones")
    def where(self, review: FrigateReview) -> str:
        return ", ".join(review.zones) or display.NOTHING

    @admin.display(description="detections")
    def its_detections(self, review: FrigateReview) -> SafeString | str:
        """Link to those that are stored; others came before this server, or were deleted."""
        found = FrigateDetection.objects.filter(event_id__in=review.detections).order_by("started_at")
        pages = ((str(one), display.page("admin:home_frigatedetection_change", one.pk)) for one in found)
        return display.links(pages) or display.NOTHING
