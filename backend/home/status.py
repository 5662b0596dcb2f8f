"""The board: how the integrations are, as this process knows it.

Reports replace whole frozen values, so a reader in any thread sees a consistent one without a lock;
each value has a single writer. A snapshot does no I/O. The board is also where an outage is logged:
once when it begins, once when it ends.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings

from home.config import home_assistant_configured, mqtt_configured

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
class MqttStatus:
    """Whether the connection to the broker stands, and if not, why."""

    connected: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrigateStatus:
    """What Frigate said of itself (``online``, ``stopped``, ``offline``; None: nothing yet) and how storing goes."""

    availability: str | None = None
    last_event_at: datetime | None = None
    storing_error: str | None = None


@dataclass(slots=True)
class Board:
    """The latest value of each integration."""

    home_assistant: HomeAssistantStatus = HomeAssistantStatus()
    mqtt: MqttStatus = MqttStatus()
    frigate: FrigateStatus = FrigateStatus()


board = Board()


def report_home_assistant(status: HomeAssistantStatus) -> None:
    """Put up what a check of Home Assistant found."""
    before, board.home_assistant = board.home_assistant, status
    _log_change("Home Assistant", before.error, status.error)


def report_mqtt(status: MqttStatus) -> None:
    """Put up how the MQTT connection is. What Frigate said before a lost connection no longer counts."""
    before, board.mqtt = board.mqtt, status
    if not status.connected:
        board.frigate = replace(board.frigate, availability=None)
    _log_change("MQTT", before.error, status.error)


def report_frigate_availability(availability: str) -> None:
    """Put up what Frigate says of itself: ``online``, ``stopped`` or ``offline``."""
    before, board.frigate = board.frigate, replace(board.frigate, availability=availability)
    if before.availability != availability:
        level = logging.INFO if availability == ONLINE else logging.WARNING
        logger.log(level, "Frigate is %s", availability, extra={"action": "frigate_availability"})


def report_frigate_event(at: datetime) -> None:
    """Put up that an event arrived *at* that time."""
    board.frigate = replace(board.frigate, last_event_at=at)


def report_frigate_storing(error: str | None) -> None:
    """Put up why detections cannot be stored at present; None when they can."""
    before = board.frigate
    if before.storing_error != error:
        board.frigate = replace(before, storing_error=error)
        _log_change("storing detections", before.storing_error, error)


def reset() -> None:
    """Forget everything, as after a start of the process."""
    board.home_assistant, board.mqtt, board.frigate = HomeAssistantStatus(), MqttStatus(), FrigateStatus()


def snapshot() -> dict[str, dict[str, Any]]:
    """Return the board ready for JSON: ``home_assistant``, ``mqtt`` and ``frigate``, times in ISO 8601, UTC.

    An integration that is not configured has ``configured`` False and no error.
    """
    home_assistant, mqtt, frigate = board.home_assistant, board.mqtt, board.frigate
    if not home_assistant_configured():
        home_assistant = HomeAssistantStatus()
    if not mqtt_configured():
        mqtt, frigate = MqttStatus(), FrigateStatus()
    return {
        "home_assistant": {
            "configured": home_assistant_configured(),
            "reachable": home_assistant.reachable,
            "error": home_assistant.error,
            "latency_ms": home_assistant.latency_ms,
            "version": home_assistant.version,
            "checked_at": _iso(home_assistant.checked_at),
        },
        "mqtt": {"configured": mqtt_configured(), "connected": mqtt.connected, "error": mqtt.error},
        "frigate": {
            "configured": mqtt_configured(),
            "available": mqtt.connected and frigate.availability == ONLINE,
            "last_event_at": _iso(frigate.last_event_at),
            "error": _frigate_error(mqtt, frigate) if mqtt_configured() else None,
        },
    }


def _frigate_error(mqtt: MqttStatus, frigate: FrigateStatus) -> str | None:
    if frigate.storing_error:
        return frigate.storing_error
    if not mqtt.connected:
        return "unknown while MQTT is not connected"
    if frigate.availability is None:
        return f"nothing heard on {settings.FRIGATE_TOPIC_PREFIX}/available yet"
    return None if frigate.availability == ONLINE else f"Frigate is {frigate.availability}"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None


def _log_change(name: str, before: str | None, after: str | None) -> None:
    if after and not before:
        logger.error("%s: outage: %s", name, after, extra={"action": "outage_began", "integration": name})
    elif before and not after:
        logger.info("%s: works again", name, extra={"action": "outage_ended", "integration": name})
