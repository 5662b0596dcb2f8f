"""What is wrong with a definition, in words for people, and where: ``when.all[1].above: must be a number``."""

import json
import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

MAX_DEPTH = 20
MAX_SIZE = 64 * 1024  # characters of JSON
RENAMED = {"conditions": "when", "actions": "then"}  # as definitions were written in 0.1
CONDITION_KEYS = ("all", "any", "not", "entity_id", "frigate", "time", "alarm")
KEYS = (
    *("when", "for", "then", *CONDITION_KEYS, "state", "attribute", "above", "below"),
    *("camera", "label", "sub_label", "min_score", "zone", "within", "after", "before", "weekdays", "tz"),
    *("type", "command", "kind", "message", "title", "body", "channel", "urgent", "domain", "service", "data"),
    "seconds",
)
WHOLE = "definition"

ENTITY_ID = r"^[a-z0-9_]+\.[a-z0-9_]+$"
SLUG = r"^[a-z0-9_]+$"
CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"
PATTERNS = {
    ENTITY_ID: "is not an entity id such as binary_sensor.door",
    SLUG: "may have only a-z, 0-9 and _",
    CLOCK: "is not a time of day such as 22:00",
}

Value = TypeVar("Value")


class DefinitionError(ValueError):
    """A definition cannot be executed. The text begins with the place: ``then[1].service: ...``."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place


def read(adapter: TypeAdapter[Value], value: object, *, action: int | None = None) -> Value:
    """Return *value*, decoded JSON, as *adapter* takes it: a whole definition, or its *action*-th action.

    Raises DefinitionError at the first thing wrong; what is too deep or too long is not even looked into.
    """
    root = WHOLE if action is None else f"then[{action}]"
    _refuse_odd(value, root)
    try:
        text = json.dumps(value)
    except (TypeError, ValueError):  # not JSON at all, or a number of thousands of digits
        raise DefinitionError(root, "cannot be written as JSON") from None
    if len(text) > MAX_SIZE:
        raise DefinitionError(root, f"has {len(text)} characters; at most {MAX_SIZE} are allowed")
    try:
        return adapter.validate_json(text, strict=True)
    except ValidationError as error:
        raise _first(error.errors(include_url=False), action) from None


def kind_of(value: object) -> str:
    """Return what *value*, decoded JSON, is called: ``an object``, ``a list``, ``text``."""
    names = {dict: "an object", list: "a list", tuple: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def not_one_of(value: object, allowed: Sequence[str]) -> str:
    """Return the complaint that *value* is none of *allowed*, with the likeliest that was meant."""
    near = get_close_matches(value, allowed, 1) if isinstance(value, str) else []
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return f"{_short(value)} is not one of {', '.join(allowed)}{meant}"


def children(value: object) -> list[Any]:
    """Return what lies directly in *value*, decoded JSON."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _refuse_odd(value: object, root: str) -> None:
    """Refuse what is nested too deep for those who go through it, and text that no database stores."""
    level = [value]
    for _ in range(MAX_DEPTH):
        if any("\0" in text for text in _texts(level)):
            raise DefinitionError(root, "has a text with a NUL character")
        level = [child for parent in level for child in children(parent)]
    if level:
        raise DefinitionError(root, f"is nested more than {MAX_DEPTH} levels deep")


def _texts(values: Sequence[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from filter(lambda key: isinstance(key, str), value)


def _first(found: Sequence[ErrorDetails], action: int | None) -> DefinitionError:
    """Return the mistake to tell of. A key misspelt tells more than the one that is missing because of it."""
    first = found[0]
    if first["type"] == "missing":
        beside = (one for one in found if one["type"] == "extra_forbidden" and one["loc"][:-1] == first["loc"][:-1])
        first = next(beside, first)
    place = _place(first, action) + (".type" if _is_action(first) else "")
    return DefinitionError(place, _problem(first))


def _place(found: ErrorDetails, action: int | None) -> str:
    """Return ``when.all[1].above``. Between the keys, pydantic names the kind it has taken the value for."""
    *parts, last = found["loc"] or ("",)
    if action is not None:
        parts[:1] = ["then", action]
    elif parts[:1] == ["then"]:
        del parts[2:3]
    kept = [part for part in parts if not str(part).startswith("<")]
    if found["type"] == "extra_forbidden" or not str(last).startswith("<"):
        kept.append(last if isinstance(last, int) else last[:60])
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in kept if part != "")
    return place.removeprefix(".") or WHOLE


def _problem(found: ErrorDetails) -> str:
    kind, value, context = found["type"], found["input"], found.get("ctx", {})
    if kind == "extra_forbidden":
        return _not_known(str(found["loc"][-1]), in_condition=found["loc"][0] == "when")
    if kind == "union_tag_not_found":
        return "is missing" if _is_action(found) else _no_condition(value)
    if kind in ("literal_error", "union_tag_invalid"):
        allowed = str(context.get("expected_tags") or context.get("expected"))
        return not_one_of(context.get("tag", value), re.findall(r"'(\w+)'", allowed))
    if kind == "string_pattern_mismatch" and value:
        return f"{_short(value)} {PATTERNS[context['pattern']]}"
    text = _TEXTS.get(kind)
    if text is None:
        return found["msg"].replace("Input should", "must")
    return text.format(
        kind=kind_of(value), length=len(value) if isinstance(value, str | list | tuple) else 0, **context
    )


def _is_action(found: ErrorDetails) -> bool:
    """Return whether it is about what kind of action something is: that is told by its ``type``."""
    return found["type"].startswith("union_tag") and "'type'" in str(found.get("ctx"))


def _not_known(key: str, *, in_condition: bool) -> str:
    if key in RENAMED:
        return f"is not known here; it is called {RENAMED[key]!r}"
    if in_condition and key in CONDITION_KEYS:
        return "cannot stand beside another condition; put both into the list of an 'all'"
    near = [found for found in get_close_matches(key, KEYS, 1) if found != key]
    return f"is not known here; did you mean {near[0]!r}?" if near else "is not known here"


def _no_condition(value: object) -> str:
    if isinstance(value, dict):
        for key in value:
            if near := get_close_matches(key, CONDITION_KEYS, 1):
                return f"has {key!r}; did you mean {near[0]!r}?"
    return f"needs one of {', '.join(CONDITION_KEYS)}"


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"


_TEXTS = {
    "missing": "is missing",
    "string_type": "must be text, not {kind}",
    "float_type": "must be a number, not {kind}",
    "bool_type": "must be true or false, not {kind}",
    "tuple_type": "must be a list, not {kind}",
    "dict_type": "must be an object, not {kind}",
    "model_type": "must be an object, not {kind}",
    "finite_number": "must be a finite number",
    "too_short": "must not be empty",
    "string_too_short": "is missing or empty",
    "string_pattern_mismatch": "is missing or empty",
    "too_long": "has {length} entries; at most {max_length} are allowed",
    "string_too_long": "has {length} characters; at most {max_length} are allowed",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "value_error": "{error}",
    "json_invalid": "has a text that is not proper Unicode",
}
