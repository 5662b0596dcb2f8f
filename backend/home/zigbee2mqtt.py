"""Zigbee2MQTT, the bridge to Zigbee devices: whether it is up, heard over MQTT.

Its devices are entities of Home Assistant and come from there.
"""

from django.conf import settings

from home import status
from home.config import zigbee2mqtt_configured
from home.mqtt.connection import Handler
from home.wire import Malformed, decode

STATES = ("online", "offline")


def routes() -> dict[str, Handler]:
    """Return the handler of its one topic, which is retained; none if it is not configured."""
    return {f"{settings.ZIGBEE2MQTT_BASE_TOPIC}/bridge/state": take_state} if zigbee2mqtt_configured() else {}


def take_state(payload: bytes) -> None:
    """Put up its state; raise Malformed if *payload* tells none."""
    status.report_zigbee2mqtt(read_state(payload))


def read_state(payload: bytes) -> str:
    """Return ``online`` or ``offline`` from a plain word, or (always, from version 2 on) from JSON.

    Raises:
        Malformed: for anything else.
    """
    word = payload.strip().decode(errors="replace")
    if word in STATES:
        return word
    message = decode(payload)
    state = message.get("state") if isinstance(message, dict) else None
    if state not in STATES:
        raise Malformed("not a state of Zigbee2MQTT")
    return str(state)
