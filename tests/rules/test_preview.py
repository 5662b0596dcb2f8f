"""What an editor says of a definition: the line of a mistake, or what it means."""

import json
from textwrap import dedent

import pytest

from rules.places import line_of
from rules.preview import preview

TEXT = dedent(
    """\
    {
      "when": {
        "all": [
          {"alarm": "armed_away"},
          {
            "entity_id": "binary_sensor.door",
            "state": "on"
          }
        ]
      },

      "then": [{"type": "notify", "body": "a \\"quoted\\" [text] {of} when, then"},
               {"type": "delay",
                "seconds": 5}]
    }
    """
)


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("definition", 1),
        ("when", 2),
        ("when.all", 3),
        ("when.all[0]", 4),
        ("when.all[0].alarm", 4),
        ("when.all[1]", 5),
        ("when.all[1].state", 7),
        ("then", 12),
        ("then[0].body", 12),
        ("then[1].seconds", 14),
    ],
)
def test_a_place_is_on_the_line_it_begins_on(place, line):
    assert line_of(TEXT, place) == line


@pytest.mark.parametrize(
    ("place", "line"), [("for", 1), ("when.all[1].above", 5), ("when.all[7]", 3), ("then[1].type.x", 13), ("", 1)]
)
def test_what_is_not_there_is_on_the_line_of_what_it_is_missing_from(place, line):
    assert line_of(TEXT, place) == line


def test_of_a_key_that_is_there_twice_the_last_is_meant_as_json_takes_it():
    assert line_of('{"when": {"x": 1},\n"when": {"y":\n2}}', "when.y") == 2


@pytest.mark.parametrize("text", ["3", "[]", "{}", ' \n"a"', "[ ]", "[1 , [2 ] ]"])
def test_any_json_has_a_line_for_any_place(text):
    assert line_of(text, "when.all[0].state") >= 1


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"state": "on"', '"state": ["on", 5]', "when.all[1].state[1]: must be text, not a number (line 7)"),
        ('"seconds": 5', '"secs": 5', "then[1].secs: is not known here; did you mean 'seconds'? (line 14)"),
        ('"type": "delay"', '"type": "dance"', "then[1].type: 'dance' is not one of"),
        ("[\n      {", "{\n      {", "Not JSON: Expecting property name enclosed in double quotes, column 7 (line 4)"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_line(old, new, told):
    assert old in TEXT
    (mistake,) = preview(TEXT.replace(old, new, 1)).mistakes

    assert str(mistake).startswith(told)


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, "9" * 10_000, '{"when": NaN, "then": []}', "null", '"\\ud800"']
)
def test_whatever_is_no_definition_is_a_mistake_on_a_line(text):
    (mistake,) = preview(text).mistakes

    assert mistake.line >= 1
    assert mistake.problem


def test_what_is_valid_is_told_in_words():
    assert preview(TEXT.replace('"then"', '"for": 90, "then"')).in_words == (
        "When this comes true and lasts 1.5 min:",
        "  all of",
        "    the alarm is armed_away",
        "    binary_sensor.door is on",
        "Then:",
        '  1. notify: a "quoted" [text] {of} when, then',
        "  2. wait 5 s",
    )


def test_json_is_tidied_up_without_becoming_another_also_with_a_mistake_in_it():
    text = '{"when":{"alarm":"dísarmed"},"then":[{"type":"delay","seconds":12345678901234567890}]}'
    tidied = preview(text).tidy

    assert json.loads(tidied) == json.loads(text)
    assert tidied.splitlines()[1:3] == ['  "when": {', '    "alarm": "dísarmed"']
