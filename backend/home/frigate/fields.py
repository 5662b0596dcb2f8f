"""The fields of Frigate's messages: each read for itself, and cut to what can be stored. Pure."""

import math
from datetime import UTC, datetime
from typing import Any

from home.wire import Malformed, decode

MAX_NAME = 100
MAX_NAMES = 50
LATEST = 4_102_444_800.0  # seconds since 1970: the year 2100


def read_change(payload: bytes, *, what: str, types: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """Return the type of a message about a change, one of *types*, and what it says of afterwards.

    Raises:
        Malformed: if it is no such message; *what* is what it should have been: "event".
    """
    message = decode(payload)
    if not isinstance(message, dict) or message.get("type") not in types:
        raise Malformed(f"not a Frigate {what}")
    after = message.get("after") or message.get("before")
    if not isinstance(after, dict):
        raise Malformed(f"a Frigate {what} without its object")
    return message["type"], after


def is_text(value: object, most: int = MAX_NAME) -> bool:
    """Tell whether *value* is a text of 1 to *most* characters that can be shown and stored."""
    # Not printable are NUL and half characters, which no database takes.
    return isinstance(value, str) and 0 < len(value) <= most and value.isprintable()


def name(value: object) -> str:
    """Return *value*, an id or a name; raise Malformed if it is none."""
    if not is_text(value):
        raise Malformed("a Frigate message without a proper id, camera or label")
    return str(value)


def names(value: object, most: int = MAX_NAMES) -> tuple[str, ...]:
    """Return the names in the list *value*, at most so many; what is none is left out."""
    items = value if isinstance(value, list) else []
    return tuple(str(item) for item in items[:most] if is_text(item))


def union(first: tuple[str, ...], second: tuple[str, ...], most: int = MAX_NAMES) -> tuple[str, ...]:
    """Return the names of both, each once and at most so many, in the order of their first mention."""
    return tuple(dict.fromkeys(first + second))[:most]


def number(value: object) -> float | None:
    """Return *value* as a finite number, None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # an integer of hundreds of digits
        return None


def share(value: object) -> float:
    """Return *value* as a number from 0 to 1; 0 if it is none."""
    return min(1.0, max(0.0, number(value) or 0.0))


def moment(value: object) -> datetime | None:
    """Return the aware datetime of *value*, seconds since 1970; None if it is none."""
    seconds = number(value)
    if seconds is None or not 0 < seconds < LATEST:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def start(after: dict[str, Any]) -> datetime:
    """Return when what *after* describes began; raise Malformed if it does not say."""
    started_at = moment(after.get("start_time"))
    if started_at is None:
        raise Malformed("a Frigate message without its start time")
    return started_at
