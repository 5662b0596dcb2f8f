"""Frigate without cameras: what it publishes while something walks past one.

``available`` and ``stats`` are said by Frigate of itself; ``events`` tell of one object that is
followed, ``reviews`` of what is worth a person's look. The payloads have the fields of Frigate 0.16
that clients read.
"""

import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from math import ceil
from typing import Any

import aiomqtt

TOPIC = "frigate"
AVAILABLE = f"{TOPIC}/available"
CAMERAS = ("front_door", "garden", "drive")
FRAME = 1.0  # seconds of the home's time between two messages about the same object
ALERTING = ("person", "car")  # what Frigate calls an alert; all else is a detection

Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Something walks past a camera, through *zones* in this order. *score* is the best, from 0 to 1."""

    camera: str
    label: str
    score: float
    zones: tuple[str, ...] = ()
    seconds: float = 5.0


class Frigate:
    """The publishing side of Frigate; *pause* waits for seconds of the home's time."""

    def __init__(self, client: aiomqtt.Client, pause: Pause) -> None:
        self._client = client
        self._pause = pause
        self._numbers = count(1)

    async def follow(self, walk: Walk) -> None:
        """Publish *walk* while it takes place: begin, progress, end."""
        started = time.time()
        event_id = f"{started:.6f}-{next(self._numbers):06d}"
        frames = max(2, round(walk.seconds / FRAME))
        for frame in range(frames + 1):
            kind = "new" if frame == 0 else "end" if frame == frames else "update"
            now = time.time()
            event = event_message(kind, walk, event_id=event_id, started=started, now=now, progress=frame / frames)
            await self._publish("events", event)
            if kind != "update":
                await self._publish("reviews", review_message(kind, walk, event_id=event_id, started=started, now=now))
            if kind != "end":
                await self._pause(walk.seconds / frames)

    async def report(self, uptime: float) -> None:
        """Publish the statistics of a recorder that has been up for *uptime* seconds."""
        await self._publish("stats", stats_message(uptime))

    async def _publish(self, topic: str, message: dict[str, Any]) -> None:
        await self._client.publish(f"{TOPIC}/{topic}", json.dumps(message), qos=1)


def event_message(
    kind: str, walk: Walk, *, event_id: str, started: float, now: float, progress: float
) -> dict[str, Any]:
    """Return the message of ``events`` about a *walk* of which *progress*, 0 to 1, is done. Times are Unix seconds."""
    after = _object(walk, event_id=event_id, started=started, now=now, progress=progress)
    if kind == "end":
        after |= {"end_time": now, "has_clip": True}
    return {"type": kind, "before": after, "after": after}


def review_message(kind: str, walk: Walk, *, event_id: str, started: float, now: float) -> dict[str, Any]:
    """Return the message of ``reviews`` about *walk*. Times are Unix seconds."""
    ended = kind == "end"
    after = {
        "id": f"{event_id}-review",
        "camera": walk.camera,
        "start_time": started,
        "end_time": now if ended else None,
        "severity": "alert" if walk.label in ALERTING else "detection",
        "thumb_path": f"/media/frigate/clips/review/thumb-{walk.camera}-{event_id}-review.webp",
        "data": {
            "detections": [event_id],
            "objects": [walk.label],
            "sub_labels": [],
            "zones": list(walk.zones) if ended else list(walk.zones[:1]),
            "audio": [],
        },
    }
    return {"type": kind, "before": after, "after": after}


def stats_message(uptime: float) -> dict[str, Any]:
    """Return what Frigate says of its own work now, after *uptime* seconds."""
    camera = {"camera_fps": 5.0, "process_fps": 5.0, "skipped_fps": 0.0, "detection_fps": 1.2, "detection_enabled": 1}
    return {
        "cameras": dict.fromkeys(CAMERAS, camera),
        "detectors": {"cpu1": {"detection_start": 0.0, "inference_speed": 9.1, "pid": 321}},
        "detection_fps": 1.2 * len(CAMERAS),
        "service": {"uptime": int(uptime), "version": "0.16.1", "last_updated": int(time.time()), "storage": {}},
    }


def _object(walk: Walk, *, event_id: str, started: float, now: float, progress: float) -> dict[str, Any]:
    left = round(100 + 900 * progress)
    entered = walk.zones[: ceil(progress * len(walk.zones))]
    return {
        "id": event_id,
        "camera": walk.camera,
        "frame_time": now,
        "label": walk.label,
        "sub_label": None,
        "score": round(walk.score - 0.1 * (1 - progress), 3),
        "top_score": walk.score,
        "false_positive": False,
        "start_time": started,
        "end_time": None,
        "box": [left, 320, left + 120, 640],
        "area": 120 * 320,
        "ratio": 0.375,
        "region": [0, 0, 1280, 720],
        "active": True,
        "stationary": False,
        "motionless_count": 0,
        "position_changes": 1,
        "current_zones": list(entered[-1:]),
        "entered_zones": list(entered),
        "attributes": {},
        "has_clip": False,
        "has_snapshot": True,
    }
