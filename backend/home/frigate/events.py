"""``frigate/events``, read into values. Pure.

Each message carries one tracked object twice: ``before`` and ``after`` the change. Messages may
come twice, late, or not at all, so a detection is what all messages about it say together: see
``Detection.merged``. What differs between Frigate 0.13 and 0.16 is in ``_sub_label`` and in fields
that nobody here reads.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from home.frigate.fields import is_text, moment, name, names, read_change, share, start, union
from home.wire import Malformed

TYPES = ("new", "update", "end")
MAX_SUB_LABEL = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One tracked object. Scores are 0 to 1, times aware and in UTC; *updated_at* is its newest frame's.

    *stationary* is True for what stands still, such as a parked car: it is still seen, and nothing new.
    """

    event_id: str
    camera: str
    label: str
    sub_label: str
    score: float
    top_score: float
    stationary: bool = False
    zones: tuple[str, ...]
    started_at: datetime
    ended_at: datetime | None
    updated_at: datetime

    @property
    def key(self) -> str:
        """What tells it from other detections."""
        return self.event_id

    def merged(self, other: Self) -> Self:
        """Return what two messages about the same object say together, whichever came first.

        The one with the newer frame counts (*other*, if they are equal); but an end stays an end,
        the best score stays the best, and a zone once entered or a name once recognised is kept.
        """
        older, newer = sorted((self, other), key=lambda detection: detection.updated_at)
        ends = [at for at in (older.ended_at, newer.ended_at) if at]
        return replace(
            newer,
            sub_label=newer.sub_label or older.sub_label,
            top_score=max(older.top_score, newer.top_score),
            zones=union(older.zones, newer.zones),
            started_at=min(older.started_at, newer.started_at),
            ended_at=max(ends, default=None),
        )


def read_event(payload: bytes) -> Detection:
    """Return the detection an MQTT payload of ``frigate/events`` describes; raise Malformed if it is none."""
    kind, after = read_change(payload, what="event", types=TYPES)
    if after.get("false_positive") is True:
        raise Malformed("a Frigate event that Frigate itself calls false")
    return _read_object(after, ended=kind == "end")


def _read_object(after: dict[str, Any], *, ended: bool) -> Detection:
    started_at = start(after)
    ended_at = moment(after.get("end_time"))
    newest = max(filter(None, (started_at, ended_at, moment(after.get("frame_time")))))
    score = share(after.get("score"))
    return Detection(
        event_id=name(after.get("id")),
        camera=name(after.get("camera")),
        label=name(after.get("label")),
        sub_label=_sub_label(after.get("sub_label")) or _sub_label(after.get("recognized_license_plate")),
        score=score,
        top_score=max(score, share(after.get("top_score"))),
        stationary=after.get("stationary") is True,
        zones=union(names(after.get("entered_zones")), names(after.get("current_zones"))),
        started_at=started_at,
        ended_at=(ended_at or newest) if ended else ended_at,
        updated_at=newest,
    )


def _sub_label(value: object) -> str:
    """Return the name in *value*: null, a text, or a pair of name and score.

    A number plate is a sub-label up to 0.15, and a field of its own from 0.16 on.
    """
    text = value[0] if isinstance(value, list) and value else value
    return str(text) if is_text(text, MAX_SUB_LABEL) else ""
