"""Payloads as Frigate publishes them."""

import json

START = 1_700_000_000.1


def event(kind: str, *, seconds: float = 0.0, zones: list[str] | None = None, **changes: object) -> bytes:
    """Return a payload of ``frigate/events`` for the frame *seconds* after the start, with *changes* to ``after``."""
    zones = zones or []
    after = {
        "id": "1700000000.1-abc",
        "camera": "front",
        "frame_time": START + seconds,
        "label": "person",
        "sub_label": None,
        "score": 0.8,
        "top_score": 0.8,
        "false_positive": False,
        "start_time": START,
        "end_time": START + seconds if kind == "end" else None,
        "box": [424, 500, 536, 712],
        "area": 23744,
        "stationary": False,
        "current_zones": zones,
        "entered_zones": zones,
        "has_clip": False,
        "has_snapshot": True,
    } | changes
    return json.dumps({"type": kind, "before": after, "after": after}).encode()
