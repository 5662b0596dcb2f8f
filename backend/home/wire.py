"""JSON from other people's machines: decoded with limits, and made fit for every database."""

import json
import math
import re
from typing import Any

# PostgreSQL stores neither NUL nor half of a surrogate pair; JSON can spell both.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


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


def storable(value: Any) -> Any:
    """Return the JSON *value* with what no database takes replaced: by U+FFFD in texts, by None in numbers."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return value
