"""What a rule's definition may say: read once, checked, turned into values.

{"conditions": {"entity_id": "binary_sensor.door", "state": "on"},
 "actions": [
    {"type": "alarm_event", "kind": "door_opened", "message": "The door is open"},
    {"type": "notify", "title": "Door", "body": "The door is open", "channel": "family"},
    {"type": "home_assistant", "domain": "light", "service": "turn_on",
     "data": {"entity_id": "light.hall"}}]}
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_ACTIONS = 50
MAX_DEPTH = 20
ENTITY_ID = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")
SLUG = re.compile(r"[a-z0-9_]{1,64}")


class DefinitionError(ValueError):
    """A definition cannot be executed. The text begins with the place: ``actions[1].service: ...``."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmEventAction:
    """Write down that something happened."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyAction:
    """Tell people."""

    title: str
    body: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeAssistantAction:
    """Call ``domain.service`` of Home Assistant."""

    domain: str
    service: str
    data: Mapping[str, Any]


Action = AlarmEventAction | NotifyAction | HomeAssistantAction


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A definition that can be executed."""

    conditions: Mapping[str, Any]
    actions: tuple[Action, ...]


def parse(definition: object) -> Definition:
    """Return what *definition*, decoded JSON, says. Raises DefinitionError at the first thing wrong."""
    whole = _object(definition, "definition")
    _refuse_unknown(whole, {"conditions", "actions"}, place="definition")
    conditions = _object(whole.get("conditions", {}), "conditions")
    _refuse_depth(whole)
    return Definition(conditions=conditions, actions=parse_actions(whole.get("actions", [])))


def parse_actions(actions: object) -> tuple[Action, ...]:
    """Return the actions of a definition. Raises DefinitionError at the first thing wrong."""
    if not isinstance(actions, list):
        raise DefinitionError("actions", f"must be a list, not {_kind(actions)}")
    if len(actions) > MAX_ACTIONS:
        raise DefinitionError("actions", f"has {len(actions)} entries; at most {MAX_ACTIONS} are allowed")
    return tuple(parse_action(action, number) for number, action in enumerate(actions))


def parse_action(action: object, number: int) -> Action:
    """Return the *number*-th action (from 0) of a definition. Raises DefinitionError at the first thing wrong."""
    place = f"actions[{number}]"
    fields = _object(action, place)
    kind = fields.get("type")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise DefinitionError(f"{place}.type", f"{kind!r} is not one of {', '.join(_READERS)}")
    return read(fields, place)


def entity_ids(definition: object) -> set[str]:
    """Return the ids of all entities that *definition* names under an ``entity_id``, at any depth."""
    return {found for found in _named_entities(definition, 0) if len(found) <= 255 and ENTITY_ID.fullmatch(found)}


def action_type(action: object) -> str:
    """Return the ``type`` of one undecoded action, for a log that must not fail."""
    return str(action.get("type", "?"))[:50] if isinstance(action, dict) else "?"


def _alarm_event(fields: Mapping[str, Any], place: str) -> AlarmEventAction:
    _refuse_unknown(fields, {"type", "kind", "message"}, place=place)
    return AlarmEventAction(kind=_slug(fields, "kind", place), message=_text(fields, "message", place, longest=500))


def _notify(fields: Mapping[str, Any], place: str) -> NotifyAction:
    _refuse_unknown(fields, {"type", "title", "body", "channel"}, place=place)
    body = _text(fields, "body", place, longest=10_000)
    if not body.strip():
        raise DefinitionError(f"{place}.body", "is missing or empty")
    title, channel = _text(fields, "title", place, longest=200), _text(fields, "channel", place, longest=100)
    return NotifyAction(title=title, body=body, channel=channel)


def _home_assistant(fields: Mapping[str, Any], place: str) -> HomeAssistantAction:
    _refuse_unknown(fields, {"type", "domain", "service", "data"}, place=place)
    domain, service = _slug(fields, "domain", place), _slug(fields, "service", place)
    return HomeAssistantAction(domain=domain, service=service, data=_object(fields.get("data", {}), f"{place}.data"))


_READERS: dict[str, Callable[[Mapping[str, Any], str], Action]] = {
    "alarm_event": _alarm_event,
    "notify": _notify,
    "home_assistant": _home_assistant,
}


def _object(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DefinitionError(place, f"must be an object, not {_kind(value)}")
    return value


def _text(fields: Mapping[str, Any], name: str, place: str, *, longest: int) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise DefinitionError(f"{place}.{name}", f"must be text, not {_kind(value)}")
    if len(value) > longest:
        raise DefinitionError(f"{place}.{name}", f"has {len(value)} characters; at most {longest} are allowed")
    return value


def _slug(fields: Mapping[str, Any], name: str, place: str) -> str:
    value = _text(fields, name, place, longest=50)
    if not SLUG.fullmatch(value):
        problem = f"{value!r} may have only a-z, 0-9 and _" if value else "is missing or empty"
        raise DefinitionError(f"{place}.{name}", problem)
    return value


def _refuse_unknown(fields: Mapping[str, Any], known: set[str], *, place: str) -> None:
    if unknown := sorted(set(fields) - known):
        raise DefinitionError(f"{place}.{unknown[0]}", f"is not known here; known are {', '.join(sorted(known))}")


def _refuse_depth(value: object) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
    if level:
        raise DefinitionError("definition", f"is nested more than {MAX_DEPTH} levels deep")


def _children(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _named_entities(value: object, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        return
    if isinstance(value, dict):
        yield from _texts(value.get("entity_id"))
    for child in _children(value):
        yield from _named_entities(child, depth + 1)


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)]


def _kind(value: object) -> str:
    return {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}.get(
        type(value), "a number"
    )
