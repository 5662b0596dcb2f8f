"""Payloads as Frigate publishes them, per version where they differ.

The fields are those of the source of each version: 0.13 says how an object stands, 0.14 adds
reviews, 0.15 attributes, 0.16 speed and number plates. Up to 0.12 the statistics had their cameras
at the top.
"""

import json
from typing import Any

START = 1_700_000_000.1

_OBJECT_0_13 = {
    "frame_time": START,
    "snapshot_time": START,
    "box": [424, 500, 536, 712],
    "area": 23744,
    "ratio": 2.113207,
    "region": [264, 450, 667, 853],
    "stationary": False,
    "motionless_count": 0,
    "position_changes": 2,
    "thumbnail": None,
    "has_clip": False,
    "has_snapshot": True,
    "attributes": {"face": 0.64},
    "current_attributes": [],
}
_SNAPSHOT = {"frame_time": START, "box": [424, 500, 536, 712], "area": 23744, "region": [264, 450, 667, 853]}
_OBJECT_0_14 = _OBJECT_0_13 | {
    "snapshot": _SNAPSHOT | {"score": 0.77, "attributes": []},
    "current_attributes": [{"label": "face", "box": [442, 506, 534, 524], "score": 0.64}],
}
_OBJECT_0_15 = _OBJECT_0_14 | {"active": True, "pending_loitering": False, "max_severity": "alert"}
_OBJECT_0_16 = _OBJECT_0_15 | {
    "current_estimated_speed": 0,
    "average_estimated_speed": 0,
    "velocity_angle": 0,
    "path_data": [[[0.4, 0.9], START]],
    "recognized_license_plate": None,
}
OBJECTS = {"0.13": _OBJECT_0_13, "0.14": _OBJECT_0_14, "0.15": _OBJECT_0_15, "0.16": _OBJECT_0_16}

_DATA_0_14 = {"sub_labels": [], "audio": []}
REVIEW_DATA = {"0.14": _DATA_0_14, "0.15": _DATA_0_14, "0.16": _DATA_0_14 | {"metadata": None}}


def event(
    kind: str, *, seconds: float = 0.0, zones: list[str] | None = None, version: str = "0.16", **changes: object
) -> bytes:
    """Return a payload of ``frigate/events`` for the frame *seconds* after the start, with *changes* to ``after``."""
    zones = zones or []
    after = OBJECTS[version] | {
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
        "current_zones": zones,
        "entered_zones": zones,
    }
    after |= changes
    return json.dumps({"type": kind, "before": after, "after": after}).encode()


def review(kind: str, *, seconds: float = 0.0, version: str = "0.16", data: Any = None, **changes: object) -> bytes:
    """Return a payload of ``frigate/reviews``, with *data* added to its ``data`` and *changes* to ``after``."""
    after = {
        "id": "1700000000.1-rev",
        "camera": "front",
        "start_time": START,
        "end_time": START + seconds if kind == "end" else None,
        "severity": "detection",
        "thumb_path": "/media/frigate/clips/review/thumb-front-1700000000.1-rev.webp",
        "data": REVIEW_DATA[version]
        | {"detections": ["1700000000.1-abc"], "objects": ["person"], "zones": []}
        | (data or {}),
    }
    after |= changes
    return json.dumps({"type": kind, "before": after, "after": after}).encode()


def stats(*, version: str = "0.16", fps: float = 5.1, detection_start: float = 0.0, **cameras: object) -> bytes:
    """Return a payload of ``frigate/stats`` about the camera *front* and further *cameras*."""
    camera = {
        "camera_fps": fps,
        "process_fps": fps,
        "skipped_fps": 0.0,
        "detection_fps": 1.3,
        "detection_enabled": 1 if version <= "0.13" else True,
        "pid": 412,
        "capture_pid": 418,
        "ffmpeg_pid": 431,
    }
    message: dict[str, Any] = {
        "detectors": {"coral": {"inference_speed": 10.25, "detection_start": detection_start, "pid": 398}},
        "detection_fps": 1.3,
        "cpu_usages": {"412": {"cpu": "2.1", "mem": "1.4"}},
        "service": {"uptime": 3600, "version": f"{version}.0-abcdef0", "latest_version": "0.16.1", "storage": {}},
    }
    found = {"front": camera} | cameras
    if version == "0.12":
        return json.dumps(found | message).encode()
    camera |= {"audio_rms": 0.0, "audio_dBFS": 0.0}
    message["service"]["last_updated"] = int(START)
    return json.dumps({"cameras": found, "processes": {"go2rtc": {"pid": 77}}} | message).encode()
