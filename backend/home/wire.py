"""JSON from other people's machines: decoded with limits, and made fit for every database."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

# PostgreSQL stores neither NUL nor half of a surrogate pair; JSON can spell both.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()
MAX_DEPTH = 30  # levels; no integration has so many, and some hundreds are too many for Python and for SQLite


class Malformed(ValueError):
    """The bytes are not what they should be. The message says how, and quotes nothing of them."""


def decode(body: bytes) -> Any:
    """Return the JSON value in *body*; raise Malformed if there is none, or one without a bottom."""
    try:
        return json.loads(body)
    except RecursionError:
        raise Malformed("nested too deeply") from None
    except ValueError:  # of which JSONDecodeError and UnicodeDecodeError are kinds
        raise Malformed("not JSON") from None


def decode_list(body: bytes) -> list[Any]:
    """Return the JSON array in *body*; raise Malformed if there is none. Meant for long ones, in a thread.

    It decodes item by item: decoding megabytes in one go would stop every other thread, and so the
    event loop, for tens of milliseconds.
    """
    try:
        text = body.decode()
        return list(_items(text, _skip_space(text, 0)))
    except RecursionError:
        raise Malformed("nested too deeply") from None
    except (ValueError, IndexError):  # IndexError: it ends too early
        raise Malformed("not a JSON array") from None


def _items(text: str, at: int) -> Iterator[Any]:
    """Yield the items of the array that begins *at*; raise ValueError or IndexError where it is none."""
    if text[at] != "[":
        raise Malformed("not a JSON array")
    at = _skip_space(text, at + 1)
    more = text[at] != "]"
    while more:
        item, at = _DECODER.raw_decode(text, at)
        yield item
        at = _skip_space(text, at)
        more = text[at] == ","
        at = _skip_space(text, at + 1) if more else at
    if text[at] != "]" or _skip_space(text, at + 1) != len(text):
        raise Malformed("not a JSON array")


def _skip_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def storable(value: Any, depth: int = MAX_DEPTH) -> Any:
    """Return the JSON *value* with what no database takes replaced: by U+FFFD in texts, else by None.

    So are lists and objects more than *depth* levels down.
    """
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not isinstance(value, list | dict):
        return value
    if not depth:
        return None
    if isinstance(value, list):
        return [storable(item, depth - 1) for item in value]
    return {storable(key): storable(item, depth - 1) for key, item in value.items()}
