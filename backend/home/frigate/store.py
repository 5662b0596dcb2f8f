"""Detections into the table, each merged with what is already known of it."""

from collections.abc import Sequence

from django.db import transaction

from home.frigate.events import Detection, merged
from home.models import FrigateDetection

_UPDATED_FIELDS = [
    "camera",
    "label",
    "sub_label",
    "score",
    "top_score",
    "zones",
    "started_at",
    "ended_at",
    "updated_at",
]


def store(detections: Sequence[Detection]) -> None:
    """Store *detections*, of different events, in one transaction. Blocking; call it in a thread.

    Storing the same again, or an older message late, changes nothing. Two processes that hear the
    same broker may both do it: they insert and then lock rows in the same order, and merge under
    the lock, so neither undoes what the other knew.
    """
    ordered = sorted(detections, key=lambda detection: detection.event_id)
    with transaction.atomic():
        FrigateDetection.objects.bulk_create(map(_to_row, ordered), ignore_conflicts=True)
        _merge_into_rows({detection.event_id: detection for detection in ordered})


def _merge_into_rows(detections: dict[str, Detection]) -> None:
    rows = FrigateDetection.objects.select_for_update().filter(event_id__in=detections).order_by("event_id")
    known = [_from_row(row) for row in rows]
    changed = [result for old in known if (result := merged(old, detections[old.event_id])) != old]
    if changed:
        FrigateDetection.objects.bulk_create(
            map(_to_row, changed), update_conflicts=True, unique_fields=["event_id"], update_fields=_UPDATED_FIELDS
        )


def _to_row(detection: Detection) -> FrigateDetection:
    return FrigateDetection(
        event_id=detection.event_id,
        camera=detection.camera,
        label=detection.label,
        sub_label=detection.sub_label,
        score=detection.score,
        top_score=detection.top_score,
        zones=list(detection.zones),
        started_at=detection.started_at,
        ended_at=detection.ended_at,
        updated_at=detection.updated_at,
    )


def _from_row(row: FrigateDetection) -> Detection:
    return Detection(
        event_id=row.event_id,
        camera=row.camera,
        label=row.label,
        sub_label=row.sub_label,
        score=row.score,
        top_score=row.top_score,
        zones=tuple(row.zones),
        started_at=row.started_at,
        ended_at=row.ended_at,
        updated_at=row.updated_at,
    )
