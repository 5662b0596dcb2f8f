"""States of Home Assistant's entities, as people say them. Pure."""

import math
from collections.abc import Mapping
from typing import Any

STATES = {
    "not_home": "away",
    "home": "at home",
    "unavailable": "not available",
    "unknown": "not known",
    "above_horizon": "above the horizon",
    "below_horizon": "below the horizon",
}
# A binary sensor says only on or off; what that means is in its device class.
OPENINGS = ("open", "closed")
FINDINGS = ("detected", "clear")
SENSED: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("door", "garage_door", "opening", "window"), OPENINGS),
    **dict.fromkeys(("carbon_monoxide", "gas", "moisture", "motion", "moving", "occupancy", "presence"), FINDINGS),
    **dict.fromkeys(("smoke", "sound", "tamper", "vibration"), FINDINGS),
    "battery": ("low", "normal"),
    "battery_charging": ("charging", "not charging"),
    "cold": ("cold", "normal"),
    "connectivity": ("connected", "disconnected"),
    "heat": ("hot", "normal"),
    "light": ("light", "dark"),
    "lock": ("unlocked", "locked"),
    "plug": ("plugged in", "unplugged"),
    "power": ("powered", "without power"),
    "problem": ("in trouble", "well"),
    "running": ("running", "not running"),
    "safety": ("unsafe", "safe"),
    "update": ("has an update", "up to date"),
}
# Their state is the time at which it last happened.
HAPPENINGS = {"button": "pressed", "input_button": "pressed", "event": "happened", "scene": "activated"}


def in_words(entity_id: str, state: str, attributes: Mapping[str, Any]) -> str:
    """Return *state* as people say it; one that is not known here, with spaces and its unit."""
    domain = entity_id.partition(".")[0]
    if state in STATES:
        return STATES[state]
    if domain in HAPPENINGS:
        return HAPPENINGS[domain]
    kind = attributes.get("device_class")
    if domain == "binary_sensor" and isinstance(kind, str) and kind in SENSED and state in ("on", "off"):
        return SENSED[kind][state == "off"]
    unit = attributes.get("unit_of_measurement")
    if _is_number(state):
        return f"{state} {unit}" if isinstance(unit, str) and unit else state
    return state.replace("_", " ")


def _is_number(state: str) -> bool:
    try:
        return math.isfinite(float(state))
    except ValueError:
        return False
