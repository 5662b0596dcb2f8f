"""``frigate/reviews``, read into values. Pure. Frigate has them since 0.14.

A review is a stretch of time at one camera that is worth a person's look, with all that was
detected meanwhile. Its messages carry no time of their own, so which is newer cannot be told; nor
need it be, since a review only ever grows: see ``Review.merged``.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from home.frigate.fields import moment, name, names, read_change, start, union
from home.wire import Malformed

TYPES = ("new", "update", "end", "genai")  # the last, from 0.17 on, adds a description
ALERT, DETECTION = "alert", "detection"
MAX_DETECTIONS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What happened at a camera. *labels* are of objects and sounds, *detections* the ids of its events."""

    review_id: str
    camera: str
    severity: str
    labels: tuple[str, ...]
    zones: tuple[str, ...]
    detections: tuple[str, ...]
    started_at: datetime
    ended_at: datetime | None

    @property
    def key(self) -> str:
        """What tells it from other reviews."""
        return self.review_id

    def merged(self, other: Self) -> Self:
        """Return what two messages about the same review say together, whichever came first."""
        ends = [at for at in (self.ended_at, other.ended_at) if at]
        return type(self)(
            review_id=self.review_id,
            camera=self.camera,
            severity=ALERT if ALERT in (self.severity, other.severity) else DETECTION,
            labels=union(self.labels, other.labels),
            zones=union(self.zones, other.zones),
            detections=union(self.detections, other.detections, MAX_DETECTIONS),
            started_at=min(self.started_at, other.started_at),
            ended_at=max(ends, default=None),
        )


def read_review(payload: bytes) -> Review:
    """Return the review an MQTT payload of ``frigate/reviews`` describes; raise Malformed if it is none."""
    kind, after = read_change(payload, what="review", types=TYPES)
    severity = after.get("severity")
    if severity not in (ALERT, DETECTION):
        raise Malformed("a Frigate review without its severity")
    found: Any = after.get("data")
    data = found if isinstance(found, dict) else {}
    started_at = start(after)
    ended_at = moment(after.get("end_time"))
    return Review(
        review_id=name(after.get("id")),
        camera=name(after.get("camera")),
        severity=severity,
        labels=union(names(data.get("objects")), names(data.get("audio"))),
        zones=names(data.get("zones")),
        detections=names(data.get("detections"), MAX_DETECTIONS),
        started_at=started_at,
        ended_at=(ended_at or started_at) if kind == "end" else ended_at,
    )
