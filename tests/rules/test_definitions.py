"""What a rule's definition may say, and how a mistake is pointed at."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from rules.definitions import (
    AlarmEventAction,
    Definition,
    DefinitionError,
    HomeAssistantAction,
    NotifyAction,
    entity_ids,
    parse,
)
from rules.models import Rule

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "kind", "body", "entity_id", "actions", "conditions", "x"]), children
        )
    ),
)


def test_actions_are_read_in_order():
    definition = parse(
        {
            "conditions": {"entity_id": "binary_sensor.door", "state": "on"},
            "actions": [
                {"type": "alarm_event", "kind": "door_opened"},
                {"type": "notify", "body": "It is open"},
                {"type": "home_assistant", "domain": "light", "service": "turn_on", "data": {"brightness": 5}},
            ],
        }
    )

    assert definition == Definition(
        conditions={"entity_id": "binary_sensor.door", "state": "on"},
        actions=(
            AlarmEventAction(kind="door_opened", message=""),
            NotifyAction(title="", body="It is open", channel=""),
            HomeAssistantAction(domain="light", service="turn_on", data={"brightness": 5}),
        ),
    )


@pytest.mark.parametrize(
    ("definition", "place"),
    [
        ([], "definition"),
        ({"action": []}, "definition.action"),
        ({"conditions": []}, "conditions"),
        ({"actions": {}}, "actions"),
        ({"actions": ["light"]}, "actions[0]"),
        ({"actions": [{"type": "alarm_event", "kind": "a"}, {"type": "dance"}]}, "actions[1].type"),
        ({"actions": [{"type": ["notify"]}]}, "actions[0].type"),
        ({"actions": [{"type": "alarm_event"}]}, "actions[0].kind"),
        ({"actions": [{"type": "alarm_event", "kind": "a", "messge": "b"}]}, "actions[0].messge"),
        ({"actions": [{"type": "notify", "title": "Door"}]}, "actions[0].body"),
        ({"actions": [{"type": "notify", "body": 5}]}, "actions[0].body"),
        ({"actions": [{"type": "home_assistant", "domain": "light"}]}, "actions[0].service"),
        (
            {"actions": [{"type": "home_assistant", "domain": "../x", "service": "turn_on"}]},
            "actions[0].domain",
        ),
        (
            {"actions": [{"type": "home_assistant", "domain": "light", "service": "turn_on", "data": 1}]},
            "actions[0].data",
        ),
        ({"actions": [{"type": "alarm_event", "kind": "a"}] * 51}, "actions"),
    ],
)
def test_a_mistake_is_refused_with_its_place(definition, place):
    with pytest.raises(DefinitionError) as caught:
        parse(definition)

    assert caught.value.place == place
    assert str(caught.value).startswith(f"{place}: ")


def test_nesting_without_end_is_refused():
    conditions = {}
    for _ in range(5000):
        conditions = {"all": conditions}

    with pytest.raises(DefinitionError, match="levels deep"):
        parse({"conditions": conditions})


@given(JSON)
def test_any_json_is_either_read_or_refused(value):
    try:
        parse(value)
    except DefinitionError:
        assert isinstance(entity_ids(value), set)


def test_entities_are_found_at_any_depth():
    definition = {
        "conditions": {"all": [{"entity_id": "sensor.a"}, {"not": {"entity_id": ["sensor.b", "sensor.c"]}}]},
        "actions": [{"type": "home_assistant", "data": {"entity_id": "light.hall"}}],
    }

    assert entity_ids(definition) == {"sensor.a", "sensor.b", "sensor.c", "light.hall"}


def test_what_is_no_entity_id_is_not_taken_for_one():
    assert entity_ids({"entity_id": ["all", 5, None, "Light.Hall", "a." + "b" * 300]}) == set()


def test_the_form_of_a_rule_shows_the_mistake_at_the_definition():
    rule = Rule(name="door", definition={"actions": [{"type": "dance"}]})

    with pytest.raises(ValidationError) as caught:
        rule.clean()

    assert "actions[0].type" in caught.value.message_dict["definition"][0]
