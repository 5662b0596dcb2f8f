"""``frigate/stats``, read into values: whether each camera sends pictures and each detector works. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from home.frigate.fields import is_text, number
from home.wire import Malformed, decode

MAX_CAMERAS = 100
STUCK = 10.0  # seconds for one picture; from there on Frigate itself restarts the detector


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """Pictures a second that arrive from a camera, and whether objects are looked for in them."""

    fps: float
    detecting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """How long a detector takes per picture, in milliseconds, and whether it hangs in one."""

    inference_ms: float | None
    stuck: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """What Frigate said of its work, by the names of cameras and detectors."""

    version: str | None
    cameras: Mapping[str, Camera]
    detectors: Mapping[str, Detector]

    def trouble(self) -> str | None:
        """Return what is wrong, naming it; None if nothing is."""
        blind = [name for name, camera in self.cameras.items() if camera.fps == 0]
        stuck = [name for name, detector in self.detectors.items() if detector.stuck]
        parts = [f"no pictures from {', '.join(blind)}"] if blind else []
        parts += [f"detector {', '.join(stuck)} is stuck"] if stuck else []
        return "; ".join(parts) or None


def read_stats(payload: bytes) -> Stats:
    """Return what an MQTT payload of ``frigate/stats`` says; raise Malformed if it is none."""
    message = decode(payload)
    if not isinstance(message, dict) or not isinstance(message.get("detectors"), dict):
        raise Malformed("not Frigate's statistics")
    service = _table(message.get("service"))
    now = number(service.get("last_updated"))
    version = service.get("version")
    return Stats(
        version=version if is_text(version) else None,
        # Up to 0.12 the cameras stood beside all else. What else there is has no camera_fps.
        cameras=_cameras(_table(message["cameras"]) if "cameras" in message else message),
        detectors={name: _detector(found, now=now) for name, found in _named(message["detectors"]).items()},
    )


def _cameras(found: Mapping[str, Any]) -> dict[str, Camera]:
    return {
        name: Camera(fps=fps, detecting=bool(camera.get("detection_enabled", True)))
        for name, camera in _named(found).items()
        if (fps := number(camera.get("camera_fps"))) is not None
    }


def _detector(found: Mapping[str, Any], *, now: float | None) -> Detector:
    """Return the state of one detector; *now* is Frigate's clock, None where (before 0.13) it does not say."""
    started = number(found.get("detection_start")) or 0.0  # 0 between two pictures
    is_stuck = now is not None and started > 0 and now - started > STUCK
    return Detector(inference_ms=number(found.get("inference_speed")), stuck=is_stuck)


def _named(found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the entries that are objects with a proper name, at most so many."""
    entries = {name: value for name, value in found.items() if is_text(name) and isinstance(value, dict)}
    return dict(list(entries.items())[:MAX_CAMERAS])


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
