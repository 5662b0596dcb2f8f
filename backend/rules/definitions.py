"""What a rule's definition may say: when, for how long, and what then. Closed data, never code.

{"when": {"all": [{"entity_id": "binary_sensor.door", "state": "on"}, {"alarm": "armed_away"}]},
 "for": 10,
 "then": [{"type": "alarm", "command": "enter"},
          {"type": "notify", "title": "Door", "body": "The door is open", "urgent": true}]}
"""

import re
from collections.abc import Iterator
from datetime import time
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    TypeAdapter,
    model_validator,
)

from rules import mistakes
from rules.mistakes import DefinitionError

__all__ = ["Action", "Condition", "Definition", "DefinitionError", "entity_ids", "parse", "parse_action"]

MAX_ACTIONS = 50
LONGEST = 7 * 86_400  # seconds that may be waited for
MAX_TEXT = 255


def _listed(value: object) -> object:
    """Take one name for a list of one."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder, such as Europe
        near = get_close_matches(name, available_timezones(), 1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"{name!r} is not a time zone such as Europe/Berlin{meant}") from None
    return name


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is missing or empty")
    return text


EntityId = Annotated[str, StringConstraints(pattern=mistakes.ENTITY_ID, max_length=MAX_TEXT)]
Slug = Annotated[str, StringConstraints(pattern=mistakes.SLUG, max_length=50)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]
Clock = Annotated[str, StringConstraints(pattern=mistakes.CLOCK)]
Zone = Annotated[str, StringConstraints(max_length=100), AfterValidator(_zone)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, le=LONGEST, allow_inf_nan=False)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
AlarmState = Literal["disarmed", "arming", "armed_home", "armed_away", "armed_night", "pending", "triggered"]
AlarmCommand = Literal["arm_home", "arm_away", "arm_night", "disarm", "enter", "trigger"]
OneOrMore = BeforeValidator(_listed, json_schema_input_type=str | list[str])


class Part(BaseModel):
    """A part of a definition: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StateIs(Part):
    """The entity's state is this, or one of these."""

    entity_id: EntityId
    state: Annotated[tuple[Name, ...], OneOrMore, Field(min_length=1, max_length=50)]


class NumberIs(Part):
    """The entity's state, or one of its attributes, is a number above and below these."""

    entity_id: EntityId
    attribute: Name | None = None
    above: Number | None = None
    below: Number | None = None

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if self.above is None and self.below is None:
            raise ValueError("needs 'above', 'below' or both")
        if self.above is not None and self.below is not None and self.above >= self.below:
            raise ValueError("no number is above 'above' and below 'below'")
        return self


class Sight(Part):
    """What Frigate is to have seen, and how many seconds ago at most."""

    camera: Name | None = None
    label: Name | None = None
    sub_label: Name | None = None
    min_score: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    zone: Name | None = None
    within: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = 30.0

    @model_validator(mode="after")
    def _is_narrowed(self) -> Self:
        if all(one is None for one in (self.camera, self.label, self.sub_label, self.min_score, self.zone)):
            raise ValueError("needs at least one of camera, label, sub_label, min_score, zone")
        return self


class FrigateSaw(Part):
    """Frigate sees, or has just seen, something."""

    frigate: Sight


class Window(Part):
    """From *after* to before *before* by the wall clock, on days of the week: the days it begins on."""

    after: Clock | None = None
    before: Clock | None = None
    weekdays: Annotated[tuple[Day, ...], OneOrMore, Field(min_length=1, max_length=7)] | None = None
    tz: Zone | None = None

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.after is None and self.before is None and self.weekdays is None:
            raise ValueError("needs at least one of after, before, weekdays")
        if self.before is not None and self.start == time.fromisoformat(self.before):
            raise ValueError("'before' must differ from 'after'")
        return self

    @property
    def start(self) -> time:
        return time.fromisoformat(self.after or "00:00")

    @property
    def end(self) -> time | None:
        """None at the end of the day."""
        return time.fromisoformat(self.before) if self.before else None


class TimeIs(Part):
    """It is that time of day, that day of the week."""

    time: Window


class AlarmIs(Part):
    """The alarm is in this state, or in one of these."""

    alarm: Annotated[tuple[AlarmState, ...], OneOrMore, Field(min_length=1, max_length=7)]


class AllOf(Part):
    """All of these hold."""

    all: Annotated[tuple["Condition", ...], Field(min_length=1, max_length=100)]


class AnyOf(Part):
    """At least one of these holds."""

    any: Annotated[tuple["Condition", ...], Field(min_length=1, max_length=100)]


class Not(Part):
    """This does not hold."""

    none: "Condition" = Field(alias="not")


def _kind(condition: object) -> str | None:
    """Return which condition it is meant to be, by the key that only that one has."""
    if not isinstance(condition, dict):
        return "<state>"
    if "entity_id" in condition:
        return "<number>" if condition.keys() & {"above", "below", "attribute"} else "<state>"
    return next((f"<{key}>" for key in ("all", "any", "not", "frigate", "time", "alarm") if key in condition), None)


Condition = Annotated[
    Annotated[AllOf, Tag("<all>")]
    | Annotated[AnyOf, Tag("<any>")]
    | Annotated[Not, Tag("<not>")]
    | Annotated[StateIs, Tag("<state>")]
    | Annotated[NumberIs, Tag("<number>")]
    | Annotated[FrigateSaw, Tag("<frigate>")]
    | Annotated[TimeIs, Tag("<time>")]
    | Annotated[AlarmIs, Tag("<alarm>")],
    Discriminator(_kind),
]


class AlarmAction(Part):
    """Command the alarm, without a code."""

    type: Literal["alarm"]
    command: AlarmCommand


class AlarmEventAction(Part):
    """Write down that something happened."""

    type: Literal["alarm_event"]
    kind: Slug
    message: Annotated[str, StringConstraints(max_length=500)] = ""


class NotifyAction(Part):
    """Tell people; if *urgent*, also in quiet hours."""

    type: Literal["notify"]
    title: Annotated[str, StringConstraints(max_length=200)] = ""
    body: Annotated[str, StringConstraints(max_length=10_000), AfterValidator(_not_blank)]
    channel: Annotated[str, StringConstraints(max_length=100)] = ""
    urgent: bool = False


class HomeAssistantAction(Part):
    """Call ``domain.service`` of Home Assistant."""

    type: Literal["home_assistant"]
    domain: Slug
    service: Slug
    data: dict[str, Any] = Field(default_factory=dict)


class DelayAction(Part):
    """Let time pass before the next action."""

    type: Literal["delay"]
    seconds: Seconds


Action = Annotated[
    AlarmAction | AlarmEventAction | NotifyAction | HomeAssistantAction | DelayAction, Field(discriminator="type")
]


class Definition(Part):
    """When a condition comes true, and stays so *for* that many seconds, do this *then*, in that order."""

    when: Condition
    wait: Annotated[float, Field(alias="for", ge=0, le=LONGEST, allow_inf_nan=False)] = 0.0
    then: Annotated[tuple[Action, ...], Field(min_length=1, max_length=MAX_ACTIONS)]


_DEFINITION: TypeAdapter[Definition] = TypeAdapter(Definition)
_ACTION: TypeAdapter[Action] = TypeAdapter(Action)


def parse(definition: object) -> Definition:
    """Return what *definition*, decoded JSON, says. Raises DefinitionError at the first thing wrong."""
    return mistakes.read(_DEFINITION, definition)


def parse_action(action: object, number: int) -> Action:
    """Return the *number*-th action (from 0) of a definition. Raises DefinitionError at the first thing wrong."""
    return mistakes.read(_ACTION, action, action=number)


def entity_ids(definition: object) -> set[str]:
    """Return the ids of all entities that *definition* names under an ``entity_id``, at any depth."""
    named = set(_named_entities(definition, 0))
    return {name for name in named if len(name) <= MAX_TEXT and re.fullmatch(mistakes.ENTITY_ID, name)}


def action_type(action: object) -> str:
    """Return the ``type`` of one undecoded action, for a log that must not fail."""
    return str(action.get("type", "?"))[:50] if isinstance(action, dict) else "?"


def json_schema() -> dict[str, Any]:
    """Return what ``parse`` takes as a JSON Schema (2020-12), for an editor."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | _DEFINITION.json_schema()


def _named_entities(value: object, depth: int) -> Iterator[str]:
    if depth > mistakes.MAX_DEPTH:
        return
    if isinstance(value, dict):
        named = value.get("entity_id")
        yield from (name for name in (named if isinstance(named, list) else [named]) if isinstance(name, str))
    for child in mistakes.children(value):
        yield from _named_entities(child, depth + 1)
