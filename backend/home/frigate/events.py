"""``frigate/events``, read into values. Pure.

Each message carries one tracked object twice: ``before`` and ``after`` the change. Messages may
come twice, late, or not at all, so a detection is what all messages about it say together: see
``merged``.
"""

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from home.wire import Malformed, decode

TYPES = ("new", "update", "end")
MAX_NAME = 100
MAX_SUB_LABEL = 255
MAX_ZONES = 50
LATEST = 4_102_444_800.0  # seconds since 1970: the year 2100


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One tracked object. Scores are 0 to 1, times aware and in UTC; *updated_at* is its newest frame's."""

    event_id: str
    camera: str
    label: str
    sub_label: str
    score: float
    top_score: float
    zones: tuple[str, ...]
    started_at: datetime
    ended_at: datetime | None
    updated_at: datetime


def read_event(payload: bytes) -> Detection:
    """Return the detection an MQTT payload of ``frigate/events`` describes; raise Malformed if it is none."""
    message = decode(payload)
    if not isinstance(message, dict) or message.get("type") not in TYPES:
        raise Malformed("not a Frigate event")
    after = message.get("after") or message.get("before")
    if not isinstance(after, dict):
        raise Malformed("a Frigate event without its object")
    return _read_object(after, ended=message["type"] == "end")


def merged(one: Detection, other: Detection) -> Detection:
    """Return what two messages about the same object say together, whichever came first.

    The one with the newer frame counts (the second, if they are equal); but an end stays an end, the
    best score stays the best, and a zone once entered or a name once recognised is kept.
    """
    older, newer = sorted((one, other), key=lambda detection: detection.updated_at)
    ends = [moment for moment in (older.ended_at, newer.ended_at) if moment]
    return replace(
        newer,
        sub_label=newer.sub_label or older.sub_label,
        top_score=max(older.top_score, newer.top_score),
        zones=_union(older.zones, newer.zones),
        started_at=min(older.started_at, newer.started_at),
        ended_at=max(ends, default=None),
    )


def _read_object(after: dict[str, Any], *, ended: bool) -> Detection:
    started_at = _moment(after.get("start_time"))
    if started_at is None:
        raise Malformed("a Frigate event without its start time")
    ended_at = _moment(after.get("end_time"))
    newest = max(filter(None, (started_at, ended_at, _moment(after.get("frame_time")))))
    score = _score(after.get("score"))
    return Detection(
        event_id=_name(after.get("id")),
        camera=_name(after.get("camera")),
        label=_name(after.get("label")),
        sub_label=_sub_label(after.get("sub_label")),
        score=score,
        top_score=max(score, _score(after.get("top_score"))),
        zones=_union(_zones(after.get("entered_zones")), _zones(after.get("current_zones"))),
        started_at=started_at,
        ended_at=(ended_at or newest) if ended else ended_at,
        updated_at=newest,
    )


def _is_text(value: object, most: int) -> bool:
    # What is not printable cannot be shown and, some of it, not stored: NUL, half characters.
    return isinstance(value, str) and 0 < len(value) <= most and value.isprintable()


def _name(value: object) -> str:
    if not _is_text(value, MAX_NAME):
        raise Malformed("a Frigate event without a proper id, camera or label")
    return str(value)


def _sub_label(value: object) -> str:
    """Return the name in *value*: over MQTT a pair of name and score, in older versions a plain text, or null."""
    name = value[0] if isinstance(value, list) and value else value
    return str(name) if _is_text(name, MAX_SUB_LABEL) else ""


def _zones(value: object) -> tuple[str, ...]:
    names = value if isinstance(value, list) else []
    return tuple(str(name) for name in names[:MAX_ZONES] if _is_text(name, MAX_NAME))


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(first + second))[:MAX_ZONES]


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # an integer of hundreds of digits
        return None


def _score(value: object) -> float:
    return min(1.0, max(0.0, _number(value) or 0.0))


def _moment(value: object) -> datetime | None:
    """Return the aware datetime of *value*, seconds since 1970; None if it is none."""
    seconds = _number(value)
    if seconds is None or not 0 < seconds < LATEST:
        return None
    return datetime.fromtimestamp(seconds, UTC)
