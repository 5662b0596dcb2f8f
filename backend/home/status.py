"""The board: how the integrations are, as this process knows it.

Reports replace whole frozen values, so a reader in any thread sees a consistent one without a lock;
each value has a single writer. A snapshot does no I/O. The board is also where an outage is logged:
once when it begins, once when it ends.
"""

import logging
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from django.conf import settings

from home.config import home_assistant_configured, mqtt_configured, zigbee2mqtt_configured, zwave_js_configured
from home.frigate.stats import Stats

logger = logging.getLogger(__name__)

ONLINE = "online"


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeAssistantStatus:
    """What the last check found. *latency_ms* covers connecting and one answer."""

    reachable: bool = False
    error: str | None = None
    latency_ms: float | None = None
    version: str | None = None
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStatus:
    """Whether Home Assistant's changes are heard as they happen, and stored; if not, why."""

    connected: bool = False
    error: str | None = None
    storing_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttStatus:
    """Whether the connection to the broker stands, and if not, why."""

    connected: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrigateStatus:
    """What Frigate said of itself (``online``, ``stopped``, ``offline``; None: nothing yet) and how storing goes.

    *last_event_at* is the time of the newest frame it told of, not when we heard of it.
    """

    availability: str | None = None
    stats: Stats | None = None
    last_event_at: datetime | None = None
    storing_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Zigbee2MqttStatus:
    """What Zigbee2MQTT said of itself: ``online``, ``offline``; None: nothing yet."""

    state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZwaveJsStatus:
    """Whether the connection to the Z-Wave JS server stands, and if not, why; its version and number of nodes."""

    connected: bool = False
    version: str | None = None
    nodes: int | None = None
    error: str | None = None


@dataclass(slots=True)
class Board:
    """The latest value of each integration."""

    home_assistant: HomeAssistantStatus = field(default_factory=HomeAssistantStatus)
    home_assistant_live: LiveStatus = field(default_factory=LiveStatus)
    mqtt: MqttStatus = field(default_factory=MqttStatus)
    frigate: FrigateStatus = field(default_factory=FrigateStatus)
    zigbee2mqtt: Zigbee2MqttStatus = field(default_factory=Zigbee2MqttStatus)
    zwave_js: ZwaveJsStatus = field(default_factory=ZwaveJsStatus)


board = Board()


def report_home_assistant(status: HomeAssistantStatus) -> None:
    """Put up what a check of Home Assistant found."""
    before, board.home_assistant = board.home_assistant, status
    _log_change("Home Assistant", before.error, status.error)


def report_home_assistant_live(*, connected: bool = False, error: str | None = None) -> None:
    """Put up whether Home Assistant's changes are heard as they happen, and if not, why."""
    before = board.home_assistant_live
    board.home_assistant_live = replace(before, connected=connected, error=error)
    _log_change("following Home Assistant", before.error, error)


def report_home_assistant_storing(error: str | None) -> None:
    """Put up why states cannot be stored at present; None when they can."""
    before = board.home_assistant_live
    if before.storing_error != error:
        board.home_assistant_live = replace(before, storing_error=error)
        _log_change("storing states", before.storing_error, error)


def report_mqtt(status: MqttStatus) -> None:
    """Put up how the MQTT connection is. What others said over it before it was lost no longer counts."""
    before, board.mqtt = board.mqtt, status
    if not status.connected:
        board.frigate = replace(board.frigate, availability=None, stats=None)
        board.zigbee2mqtt = Zigbee2MqttStatus()
    _log_change("MQTT", before.error, status.error)


def report_frigate_availability(availability: str) -> None:
    """Put up what Frigate says of itself: ``online``, ``stopped`` or ``offline``."""
    before = board.frigate
    stats = before.stats if availability == ONLINE else None
    board.frigate = replace(before, availability=availability, stats=stats)
    _log_state("Frigate", before.availability, availability)


def report_frigate_stats(stats: Stats) -> None:
    """Put up how Frigate's cameras and detectors work."""
    before = board.frigate.stats
    board.frigate = replace(board.frigate, stats=stats)
    _log_change("Frigate", before.trouble() if before else None, stats.trouble())


def report_frigate_event(at: datetime, *, now: datetime) -> None:
    """Put up that something was seen *at* that time, which never lies after *now* or before what was seen last.

    So an event of yesterday that arrives today, kept by the broker, is none of today.
    """
    seen = min(at, now)
    board.frigate = replace(board.frigate, last_event_at=max(seen, board.frigate.last_event_at or seen))


def report_frigate_storing(error: str | None) -> None:
    """Put up why detections cannot be stored at present; None when they can."""
    before = board.frigate
    if before.storing_error != error:
        board.frigate = replace(before, storing_error=error)
        _log_change("storing detections", before.storing_error, error)


def report_zigbee2mqtt(state: str) -> None:
    """Put up what Zigbee2MQTT says of itself: ``online`` or ``offline``."""
    before, board.zigbee2mqtt = board.zigbee2mqtt, Zigbee2MqttStatus(state=state)
    _log_state("Zigbee2MQTT", before.state, state)


def report_zwave_js(status: ZwaveJsStatus) -> None:
    """Put up how the connection to the Z-Wave JS server is."""
    before, board.zwave_js = board.zwave_js, status
    _log_change("Z-Wave JS", before.error, status.error)


def reset() -> None:
    """Forget everything, as after a start of the process."""
    fresh = Board()
    board.home_assistant, board.home_assistant_live = fresh.home_assistant, fresh.home_assistant_live
    board.mqtt, board.frigate = fresh.mqtt, fresh.frigate
    board.zigbee2mqtt, board.zwave_js = fresh.zigbee2mqtt, fresh.zwave_js


def snapshot() -> dict[str, dict[str, Any]]:
    """Return the board ready for JSON, a part for each integration; times in ISO 8601, UTC.

    ``home_assistant``, ``mqtt`` and ``frigate`` are always there; not configured they have
    ``configured`` False and no error. ``zigbee2mqtt`` and ``zwave_js`` are there if configured.
    """
    home_assistant, live = (
        (board.home_assistant, board.home_assistant_live)
        if home_assistant_configured()
        else (HomeAssistantStatus(), LiveStatus())
    )
    mqtt, frigate = (board.mqtt, board.frigate) if mqtt_configured() else (MqttStatus(), FrigateStatus())
    parts: dict[str, dict[str, Any]] = {
        "home_assistant": {
            "configured": home_assistant_configured(),
            "reachable": home_assistant.reachable,
            "error": home_assistant.error or live.error or live.storing_error,
            "latency_ms": home_assistant.latency_ms,
            "version": home_assistant.version,
            "checked_at": _iso(home_assistant.checked_at),
        },
        "mqtt": {"configured": mqtt_configured(), "connected": mqtt.connected, "error": mqtt.error},
        "frigate": _frigate(mqtt, frigate),
    }
    if zigbee2mqtt_configured():
        parts["zigbee2mqtt"] = _zigbee2mqtt(mqtt, board.zigbee2mqtt)
    if zwave_js_configured():
        parts["zwave_js"] = {"configured": True, **asdict(board.zwave_js)}
    return parts


def _frigate(mqtt: MqttStatus, frigate: FrigateStatus) -> dict[str, Any]:
    stats = frigate.stats or Stats(version=None, cameras={}, detectors={})
    error = (
        frigate.storing_error
        or _unheard(mqtt, "Frigate", frigate.availability, f"{settings.FRIGATE_TOPIC_PREFIX}/available")
        or stats.trouble()
    )
    return {
        "configured": mqtt_configured(),
        "available": mqtt.connected and frigate.availability == ONLINE,
        "last_event_at": _iso(frigate.last_event_at),
        "error": error if mqtt_configured() else None,
        "version": stats.version,
        "cameras": {name: asdict(camera) for name, camera in stats.cameras.items()},
        "detectors": {name: asdict(detector) for name, detector in stats.detectors.items()},
    }


def _zigbee2mqtt(mqtt: MqttStatus, zigbee2mqtt: Zigbee2MqttStatus) -> dict[str, Any]:
    return {
        "configured": True,
        "available": mqtt.connected and zigbee2mqtt.state == ONLINE,
        "error": _unheard(mqtt, "Zigbee2MQTT", zigbee2mqtt.state, f"{settings.ZIGBEE2MQTT_BASE_TOPIC}/bridge/state"),
    }


def _unheard(mqtt: MqttStatus, name: str, state: str | None, topic: str) -> str | None:
    """Return why *name*, which says its *state* on *topic*, does not count as online; None if it does."""
    if not mqtt.connected:
        return "unknown while MQTT is not connected"
    if state is None:
        return f"nothing heard on {topic} yet"
    return None if state == ONLINE else f"{name} is {state}"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None


def _log_state(name: str, before: str | None, after: str) -> None:
    if before != after:
        level = logging.INFO if after == ONLINE else logging.WARNING
        logger.log(level, "%s is %s", name, after, extra={"action": "state_changed", "integration": name})


def _log_change(name: str, before: str | None, after: str | None) -> None:
    if after and not before:
        logger.error("%s: outage: %s", name, after, extra={"action": "outage_began", "integration": name})
    elif before and not after:
        logger.info("%s: works again", name, extra={"action": "outage_ended", "integration": name})
