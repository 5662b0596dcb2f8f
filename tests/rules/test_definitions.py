"""What a rule's definition may say, and how a mistake is pointed at."""

import json
from contextlib import suppress
from typing import get_args

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from alarm.arming import Command, State
from rules.definitions import (
    AlarmAction,
    AlarmCommand,
    AlarmEventAction,
    AlarmState,
    DefinitionError,
    DelayAction,
    HomeAssistantAction,
    NotifyAction,
    NumberIs,
    StateIs,
    entity_ids,
    json_schema,
    parse,
)
from rules.mistakes import KEYS
from rules.models import Rule

DOOR = {"entity_id": "binary_sensor.door", "state": "on"}
NOTIFY = {"type": "notify", "body": "It is open"}
LIGHT = {"type": "home_assistant", "domain": "light", "service": "turn_on"}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.sampled_from([*KEYS, "x", "<all>"]), children),
)


def when(condition):
    return {"when": condition, "then": [NOTIFY]}


def then(*actions):
    return {"when": DOOR, "then": list(actions)}


def refusal(definition):
    with pytest.raises(DefinitionError) as caught:
        parse(definition)
    return str(caught.value)


def test_conditions_are_read():
    definition = parse(when({"all": [DOOR, {"entity_id": "sensor.power", "attribute": "watts", "above": 5}]}))

    assert definition.when.all == (
        StateIs(entity_id="binary_sensor.door", state=("on",)),
        NumberIs(entity_id="sensor.power", attribute="watts", above=5),
    )


def test_a_rule_fires_at_once_unless_it_says_for_how_long():
    assert parse(when(DOOR)).wait == 0
    assert parse(when(DOOR) | {"for": 1.5}).wait == 1.5


def test_actions_are_read_in_order():
    definition = parse(
        then(
            {"type": "alarm_event", "kind": "door_opened"},
            NOTIFY | {"urgent": True},
            LIGHT | {"data": {"brightness": 5}},
            {"type": "delay", "seconds": 2},
            {"type": "alarm", "command": "enter"},
        )
    )

    assert definition.then == (
        AlarmEventAction(type="alarm_event", kind="door_opened"),
        NotifyAction(type="notify", body="It is open", urgent=True),
        HomeAssistantAction(type="home_assistant", domain="light", service="turn_on", data={"brightness": 5}),
        DelayAction(type="delay", seconds=2),
        AlarmAction(type="alarm", command="enter"),
    )


@pytest.mark.parametrize(
    ("definition", "place"),
    [
        ([], "definition"),
        ({"when": DOOR}, "then"),
        ({"then": [NOTIFY]}, "when"),
        (when([]), "when"),
        (when({}), "when"),
        (when({"entity_id": "light.hall"}), "when.state"),
        (when(DOOR | {"above": 5}), "when.state"),
        (when(DOOR | {"entity_id": "Door"}), "when.entity_id"),
        (when(DOOR | {"state": True}), "when.state"),
        (when(DOOR | {"state": ["on", 1]}), "when.state[1]"),
        (when({"all": []}), "when.all"),
        (when({"all": [DOOR, {"entity_id": "sensor.power", "above": "5"}]}), "when.all[1].above"),
        (when({"all": [DOOR, {"entity_id": "sensor.power", "above": 5, "below": 5}]}), "when.all[1]"),
        (when({"any": [{"not": {"all": [DOOR, 5]}}]}), "when.any[0].not.all[1]"),
        (when({"time": {"after": "24:00"}}), "when.time.after"),
        (when({"time": {"after": "22:00", "before": "22:00:00"}}), "when.time"),
        (when({"time": {"weekdays": ["mon", "tues"]}}), "when.time.weekdays[1]"),
        (when({"time": {"after": "22:00", "tz": "Europe"}}), "when.time.tz"),
        (when({"frigate": {}}), "when.frigate"),
        (when({"frigate": {"within": 5}}), "when.frigate"),
        (when({"frigate": {"label": "person", "min_score": 50}}), "when.frigate.min_score"),
        (when({"alarm": ["armed_away", "armed"]}), "when.alarm[1]"),
        (when(DOOR) | {"for": -1}, "for"),
        (when(DOOR) | {"for": True}, "for"),
        (when(DOOR) | {"for": float("nan")}, "for"),
        (when(DOOR) | {"for": 1e9}, "for"),
        ({"when": DOOR, "then": {}}, "then"),
        (then(), "then"),
        (then(*[NOTIFY] * 51), "then"),
        (then("light"), "then[0]"),
        (then(NOTIFY, {"type": "dance"}), "then[1].type"),
        (then({"type": ["notify"]}), "then[0].type"),
        (then({}), "then[0].type"),
        (then({"type": "alarm_event"}), "then[0].kind"),
        (then({"type": "alarm", "command": "arm"}), "then[0].command"),
        (then({"type": "notify", "title": "Door"}), "then[0].body"),
        (then(NOTIFY | {"body": " "}), "then[0].body"),
        (then(NOTIFY | {"body": 5}), "then[0].body"),
        (then(NOTIFY | {"body": "x" * 10_001}), "then[0].body"),
        (then(NOTIFY | {"urgent": "yes"}), "then[0].urgent"),
        (then({"type": "delay", "seconds": 0}), "then[0].seconds"),
        (then({"type": "home_assistant", "domain": "light"}), "then[0].service"),
        (then(LIGHT | {"domain": "../x"}), "then[0].domain"),
        (then(LIGHT | {"data": 1}), "then[0].data"),
        (then(NOTIFY | {"body": "\0"}), "definition"),
        (then(NOTIFY | {"body": "\ud800"}), "definition"),
        (then(LIGHT | {"data": {"x": "x" * 70_000}}), "definition"),
        (then(LIGHT | {"data": {"x": object()}}), "definition"),
    ],
)
def test_a_mistake_is_refused_with_its_place(definition, place):
    with pytest.raises(DefinitionError) as caught:
        parse(definition)

    assert caught.value.place == place
    assert str(caught.value).startswith(f"{place}: ")


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        (
            when({"all": [DOOR, {"entity_id": "sensor.t", "above": "5"}]}),
            "when.all[1].above: must be a number, not text",
        ),
        (when(DOOR | {"entity_id": "Door"}), "when.entity_id: 'Door' is not an entity id such as binary_sensor.door"),
        (when({"entity": "light.hall"}), "when: has 'entity'; did you mean 'entity_id'?"),
        (when(DOOR | {"stat": "on"}), "when.stat: is not known here; did you mean 'state'?"),
        (when({"entity_id": "light.hall", "sate": "on"}), "when.sate: is not known here; did you mean 'state'?"),
        (when({"time": {"after": "22:00", "tz": "Europe/Berln"}}), "did you mean 'Europe/Berlin'?"),
        (then({"type": "notfy", "body": "x"}), "did you mean 'notify'?"),
        (then(NOTIFY | {"titel": "Door"}), "then[0].titel: is not known here; did you mean 'title'?"),
        ({"conditions": DOOR, "actions": []}, "conditions: is not known here; it is called 'when'"),
        (when(DOOR | {"alarm": "disarmed"}), "when.alarm: cannot stand beside another condition"),
    ],
)
def test_a_mistake_is_told_in_words_that_help(definition, words):
    assert words in refusal(definition)


def test_nesting_without_end_is_refused():
    condition = DOOR
    for _ in range(5000):
        condition = {"not": condition}

    assert "levels deep" in refusal(when(condition))


@given(JSON)
def test_any_json_is_either_read_or_refused_with_a_place(value):
    for definition in (value, {"when": value, "then": [NOTIFY]}, {"when": DOOR, "then": [value]}):
        with suppress(DefinitionError):
            parse(definition)
            continue
        assert refusal(definition).partition(": ")[0]


def test_the_schema_names_every_kind_of_condition_and_action():
    schema = json_schema()

    assert json.dumps(schema)
    assert set(schema["properties"]) == {"when", "for", "then"}
    assert len(schema["properties"]["when"]["oneOf"]) == 8
    kinds = schema["properties"]["then"]["items"]["discriminator"]["mapping"]
    assert set(kinds) == {"alarm", "alarm_event", "notify", "home_assistant", "delay"}


def test_the_alarm_has_the_states_and_takes_the_commands_that_rules_may_name():
    assert set(get_args(AlarmState)) == set(State.values)
    assert set(get_args(AlarmCommand)) == set(Command.values)


def test_entities_are_found_at_any_depth():
    definition = {
        "when": {"all": [{"entity_id": "sensor.a"}, {"not": {"entity_id": "sensor.b"}}]},
        "then": [{"type": "home_assistant", "data": {"entity_id": ["light.hall", "light.attic"]}}],
    }

    assert entity_ids(definition) == {"sensor.a", "sensor.b", "light.hall", "light.attic"}


def test_what_is_no_entity_id_is_not_taken_for_one():
    assert entity_ids({"entity_id": ["all", 5, None, "Light.Hall", "light.hall\n", "a." + "b" * 300]}) == set()


def test_the_form_of_a_rule_shows_the_mistake_at_the_definition():
    rule = Rule(name="door", definition=then({"type": "dance"}))

    with pytest.raises(ValidationError) as caught:
        rule.clean()

    assert "then[0].type" in caught.value.message_dict["definition"][0]
