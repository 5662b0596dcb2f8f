"""The reference of rules says what rules take."""

import argparse
import json
import re
from typing import get_args

import pytest

from rules.definitions import Action, AlarmCommand, AlarmState, Definition, Sight, Window, parse
from rules.management.commands.rules import Command
from rules.mistakes import CONDITION_KEYS
from tests.docs.pages import DOCS, blocks, table, tables

PAGE = DOCS / "reference" / "rules.md"
REFERENCE = "docs/reference/rules.md"
EXAMPLES = [json.loads(block.text) for block in blocks("json", page=PAGE)]
CONDITION = {"alarm": "disarmed"}
ACTION = {"type": "alarm", "command": "disarm"}


def whole(example):
    """Return a definition with *example* in its place."""
    if "when" in example:
        return example
    if "type" in example:
        return {"when": CONDITION, "then": [example]}
    return {"when": example, "then": [ACTION]}


def keys(model):
    return {field.alias or name for name, field in model.model_fields.items()}


def kinds():
    return {get_args(kind.model_fields["type"].annotation)[0] for kind in get_args(get_args(Action)[0])}


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_every_example_is_valid(example):
    assert parse(whole(example))


def test_every_condition_has_an_example():
    shown = json.dumps(EXAMPLES)

    assert all(f'"{key}"' in shown for key in (*CONDITION_KEYS, "above", "below", "attribute", "weekdays"))


def test_every_action_has_an_example():
    assert {example["type"] for example in EXAMPLES if "type" in example} == kinds()


def test_every_key_is_listed():
    listed = [set(found.column(0)) for found in tables(PAGE) if found.header[0] == "Key"]

    assert listed == [keys(Definition), keys(Sight), keys(Window)]
    assert set(table(REFERENCE, "Condition").column(0)) == set(CONDITION_KEYS)
    assert set(table(REFERENCE, "Action").column(0)) == kinds()


def test_every_state_and_command_of_the_alarm_is_named():
    text = PAGE.read_text()

    assert all(f"`{name}`" in text for name in (*get_args(AlarmState), *get_args(AlarmCommand)))


def test_every_subcommand_is_described():
    parser = Command().create_parser("manage.py", "rules")
    (choices,) = [action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    described = [re.split(r"\W", cell)[0] for cell in table(REFERENCE, "Command").column(0)]

    assert sorted(described) == sorted(choices)
