"""What the docs say of the alarm is what the code says."""

import json
import re

import pytest

from alarm import api, codes, lockout
from alarm.machine import TRANSITIONS, Command, State
from alarm.status import alarm_json
from tests.docs.pages import DOCS, ROOT, blocks, table

STATES = "docs/explanation/alarm.md"
API = "docs/reference/alarm-api.md"
CODES = "docs/howto/alarm-codes.md"
WEBSOCKET = DOCS / "reference" / "http-and-websocket.md"


def names(cell):
    return [name.strip("` ") for name in cell.split(",")]


def test_every_transition_is_in_the_table():
    listed = {
        (State(state), Command(command)): State(after.strip("`"))
        for states, commands, after in table(STATES, "State").rows
        for state in names(states)
        for command in names(commands)
    }
    assert listed == TRANSITIONS


def test_every_field_is_listed():
    assert {*table(API, "Field").column(0)} == {*api.Arming.model_fields, *api.Operation.model_fields}


def test_the_alarm_is_shown_with_its_keys():
    (shown,) = [json.loads(block.text) for block in blocks("json", page=ROOT / API) if '"version"' in block.text]
    assert list(shown) == list(alarm_json(None))


def test_the_message_of_a_change_is_shown_with_its_keys():
    (shown,) = [json.loads(block.text) for block in blocks("json", page=WEBSOCKET) if "alarm_state" in block.text]
    assert list(shown["payload"]) == list(alarm_json(None))


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        (API, f"After {lockout.LIMIT} wrong codes within 5 minutes"),
        (API, f"After {lockout.LIMIT_OF_ALL} within 5 minutes from all together"),
        (API, f"Seconds to leave, 0 to {api.MAX_EXIT_DELAY}."),
        (API, f"answers with at most {api.MAX_LIMIT}"),
        (CODES, f"{codes.MIN_LENGTH} to {codes.MAX_LENGTH} digits"),
    ],
)
def test_the_limits_are_those_of_the_code(page, sentence):
    assert sentence in (ROOT / page).read_text()


def test_every_state_is_named():
    text = (ROOT / API).read_text()
    assert {state.value for state in State} <= set(re.findall(r"`(\w+)`", text))
