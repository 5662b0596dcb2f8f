"""What comes over the WebSocket, of any size and shape: decoded or refused, kept or forgotten, never more than fits."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from home import wire
from home.checks import check_home_assistant_settings
from home.config import allowed_domains
from home.home_assistant.client import call_service
from home.home_assistant.entities import Held, Listing, read_change, read_listing
from home.home_assistant.errors import HomeAssistantError
from home.home_assistant.inbox import Event, Inbox, Question
from home.home_assistant.messages import LONG, SHORT, decode, decode_long
from home.home_assistant.store import store
from home.models import Entity

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
FIRED = NOW.isoformat()

texts = st.text(st.characters(codec="utf-8"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)
some_times = st.sampled_from(["2026-11-23T09:00:00+00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", 1])
state_objects = st.fixed_dictionaries(
    {},
    optional={
        "entity_id": st.sampled_from(["light.hall", "Not An Entity", 7]),
        "state": json_values,
        "attributes": json_values,
        "last_updated": some_times | json_values,
        "last_changed": some_times | json_values,
    },
)
changes = st.fixed_dictionaries(
    {}, optional={"entity_id": texts, "new_state": state_objects | json_values, "old_state": json_values}
)


@given(st.lists(json_values), st.integers(0, 10**18 - 1), st.sampled_from([None, 1]))
def test_a_long_list_is_decoded_item_by_item_to_the_same_as_in_one_go(items, number, indent):
    message = json.dumps({"id": number, "type": "result", "success": True, "result": items}, indent=indent)

    assert decode_long(message) == json.loads(message)


@given(json_values.map(json.dumps) | texts | st.text(alphabet='[]{},:"1 \n', max_size=20))
def test_any_other_text_is_decoded_or_refused(message):
    try:
        expected = wire.decode(message.encode())
    except wire.Malformed:
        with pytest.raises(wire.Malformed):
            decode_long(message)
    else:
        assert repr(decode_long(message)) == repr(expected)  # NaN is not equal to itself


async def test_what_is_long_and_no_list_is_refused_unread():
    with pytest.raises(wire.Malformed, match="too long"):
        await decode(json.dumps({"id": 1, "type": "result", "success": True, "result": "x" * LONG}))


async def test_long_and_short_messages_are_decoded_alike():
    short, long = {"text": "x"}, {"text": "x" * SHORT}

    assert [await decode(json.dumps(message)) for message in (short, long)] == [short, long]


@given(changes | json_values, json_values)
def test_an_event_of_any_shape_is_a_step_or_none(data, fired):
    step = read_change({"data": data, "time_fired": fired}, now=NOW)

    assert step is None or (step.at.tzinfo is UTC and len(step.entity_id) <= 255)
    if step and step.after:
        json.dumps(step.after.attributes, allow_nan=False).encode()


@given(st.lists(state_objects | json_values))
def test_a_list_of_any_shape_has_a_step_for_each_entity(items):
    total, steps = read_listing(Listing(items=items, held={}), now=NOW)

    assert total == len(steps) <= 1


@pytest.mark.django_db
@pytest.mark.parametrize("depth", [300, 900])
def test_what_is_nested_too_deeply_for_any_use_is_left_out_and_the_state_stored(depth):
    state = {
        "entity_id": "light.hall",
        "state": "on",
        "attributes": {"a": 1, "b": json.loads("[" * depth + "]" * depth)},
    }
    store([read_change({"data": {"new_state": state}}, now=NOW)])

    hall = Entity.objects.get()
    assert (hall.state, hall.attributes["a"]) == ("on", 1)
    assert json.dumps(hall.attributes).count("[") < 50


def test_keys_to_a_cameras_pictures_and_texts_that_are_passwords_are_not_kept():
    keys = {"access_token": "s3cret", "entity_picture": "/api/camera_proxy/camera.door?token=s3cret", "brand": "x"}
    items = [
        {"entity_id": "camera.door", "state": "idle", "attributes": keys},
        {"entity_id": "input_text.code", "state": "s3cret", "attributes": {"mode": "password"}, "last_updated": FIRED},
    ]
    total, steps = read_listing(Listing(items=items, held={}), now=NOW)

    assert (total, "s3cret" in str(steps)) == (2, False)
    assert {"brand": "x"} in [step.after.attributes for step in steps]


def test_a_text_that_is_a_password_is_listed_again_without_being_taken_for_a_change():
    code = {"entity_id": "input_text.code", "state": "1234", "attributes": {"mode": "password"}, "last_updated": FIRED}
    (step,) = read_listing(Listing(items=[code], held={}), now=NOW)[1]
    held = Held(state=step.after.state, last_updated=step.after.last_updated, removed_at=None)

    assert read_listing(Listing(items=[code], held={"input_text.code": held}), now=NOW)[1] == []


def test_an_event_too_many_takes_the_waiting_ones_with_it():
    inbox = Inbox(most_events=3)
    took = [inbox.put(Event({}, 1)) for _ in range(4)]

    assert (took, len(inbox), inbox.incomplete.is_set()) == ([True] * 3 + [False], 0, True)


def test_long_events_count_by_their_length():
    inbox = Inbox(most_characters=100)
    took = [inbox.put(Event({}, 40)) for _ in range(3)]
    inbox.put(Event({}, 40))
    inbox.remove(inbox.first_events(10))

    assert (took, len(inbox)) == ([True, True, False], 0)
    assert [inbox.put(Event({}, 40)) for _ in range(2)] == [True, True]


async def test_a_question_outlives_what_is_forgotten_and_a_list_replaces_the_one_before():
    inbox = Inbox(most_events=1)
    question, older, newer = Question(), Listing(items=[], held={}), Listing(items=[], held={})
    for item in (question, older, Event({}, 1), newer):
        inbox.put(item)
    listings = [item for item in inbox._waiting if isinstance(item, Listing)]
    inbox.put(Event({}, 1))

    assert listings == [newer]
    assert (len(inbox), inbox.first()) == (1, question)


async def test_what_was_forgotten_while_it_was_stored_takes_nothing_new_with_it():
    inbox = Inbox(most_events=2)
    inbox.put(Event({}, 1))
    inbox.put(Event({}, 1))
    storing = inbox.first_events(10)
    inbox.put(Event({}, 1))
    inbox.put(Event({}, 1))
    inbox.remove(storing)

    assert len(inbox) == 1
    async with asyncio.timeout(30):
        await inbox.wait()


@pytest.mark.parametrize("domain", ["homeassistant", "shell_command", "hassio", "python_script", "camera"])
async def test_a_domain_that_is_not_allowed_is_refused_unasked(home_assistant, domain):
    with pytest.raises(HomeAssistantError, match=f"HOME_ASSISTANT_ALLOWED_DOMAINS does not name {domain}") as error:
        await call_service(domain, "restart")

    assert error.value.permanent is True
    assert home_assistant.requests == []


async def test_the_allowed_domains_are_those_of_the_setting(home_assistant, settings):
    settings.HOME_ASSISTANT_ALLOWED_DOMAINS = ["lock"]
    home_assistant.set_entity("lock.door", "unlocked")
    changed = await call_service("lock", "lock", {"entity_id": "lock.door"})
    with pytest.raises(HomeAssistantError, match="does not name light"):
        await call_service("light", "turn_on")

    assert changed[0]["state"] == "locked"


def test_what_runs_programs_there_cannot_be_allowed(settings):
    settings.HOME_ASSISTANT_ALLOWED_DOMAINS = ["light", "shell_command"]

    assert allowed_domains() == {"light"}


@pytest.mark.parametrize("name", ["homeassistant", "light.turn_on", " lock", "Light", ""])
def test_a_setting_that_names_no_such_domain_is_an_error_at_the_start(settings, name):
    settings.HOME_ASSISTANT_ALLOWED_DOMAINS = ["light", name]

    assert [(found.id, repr(name) in found.msg) for found in check_home_assistant_settings()] == [("home.E003", True)]


def test_the_default_setting_is_without_a_mistake():
    assert check_home_assistant_settings() == []
