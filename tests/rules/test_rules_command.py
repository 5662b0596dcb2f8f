"""``manage.py rules``: how rules stand, and why one would fire or would not."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from rules import firing
from rules.models import Rule
from tests.rules.conftest import DOOR_OPEN
from tests.rules.house import START, at

pytestmark = pytest.mark.django_db

DOOR = "binary_sensor.door"
EVENT = {"type": "alarm_event", "kind": "door_opened"}
NIGHT = {"time": {"after": "22:00", "before": "06:00"}}
OPEN_AT_NIGHT = {"all": [DOOR_OPEN, NIGHT]}


def run(*arguments):
    """Return what the command prints and the code it exits with."""
    out = io.StringIO()
    try:
        call_command("rules", *arguments, stdout=out)
    except SystemExit as end:
        return out.getvalue(), end.code
    except CommandError as error:
        return str(error), error.returncode
    return out.getvalue(), 0


@pytest.fixture
def rule(make_rule, house):
    """A rule on a door that is closed."""
    made = make_rule(EVENT, when=OPEN_AT_NIGHT)
    house.tell((DOOR, "off"))
    return made


def test_what_fires_is_explained_step_by_step(rule):
    text, code = run("test", "door", "--at", "2026-11-25T22:30:00", "--set", f"{DOOR}=on")

    assert code == 0
    assert text.splitlines() == [
        "Rule 'door' at 2026-11-25 22:30:00 UTC",
        "",
        "  ✓ it is enabled",
        "  ✓ its condition holds",
        "    ✓ all of",
        "      ✓ binary_sensor.door is on  (on since 2026-11-25 22:30:00 UTC)",
        "      ✓ the time is from 22:00 to 06:00  (Wed 22:30:00)",
        "  ✓ this was not so before",
        "",
        "It would fire at once:",
        "  1. write down an event: door_opened",
        "By time alone this may change at 2026-11-26 06:00:00 UTC.",
    ]


def test_what_does_not_fire_is_explained_too(rule):
    text, code = run("test", "door", "--at", "2026-11-25T21:00:00", "--set", f"{DOOR}=on")

    assert code == 1
    assert "      ✗ the time is from 22:00 to 06:00  (Wed 21:00:00)" in text
    assert "It would not fire: its condition does not hold." in text
    assert "door_opened" not in text


def test_what_is_known_now_is_taken_from_the_database(rule):
    text, code = run("test", "door")

    assert code == 1
    assert "✗ binary_sensor.door is on  (off since 2026-11-25 12:00:00 UTC)" in text


def test_what_cannot_be_known_is_marked(make_rule):
    make_rule(EVENT)
    text, code = run("test", "door")

    assert code == 1
    assert "  ? its condition cannot be known, and so keeps what it was" in text


def test_a_rule_that_holds_already_has_to_end_first(make_rule, house):
    make_rule(EVENT)
    house.tell((DOOR, "off"))
    house.tell((DOOR, "on"), at_second=5)
    text, code = run("test", "door")

    assert code == 1
    assert "✗ this has been so since 2026-11-25 12:00:05 UTC, and has to end before it fires again" in text


def test_a_rule_that_nobody_has_looked_at_does_not_fire_for_what_is_so_already(make_rule, house):
    make_rule(EVENT)
    house.tell((DOOR, "on"))
    Rule.objects.update(holds=None)

    assert "✗ nobody has looked at it yet" in run("test", "door")[0]


def test_a_wait_is_told_before_it_begins_and_while_it_lasts(make_rule, house):
    make_rule(EVENT, wait=90)
    house.tell((DOOR, "off"))
    text, code = run("test", "door", "--at", "2026-11-25T12:00:05", "--set", f"{DOOR}=on")
    assert code == 0
    assert "✓ this was not so before, and has to last 1.5 min" in text
    assert "It would fire at 2026-11-25 12:01:35 UTC, unless the condition ends before:" in text

    house.tell((DOOR, "on"), at_second=5)
    text, code = run("test", "door", "--at", "2026-11-25T12:01:00")
    assert code == 0
    assert "✓ it has waited since 2026-11-25 12:00:05 UTC" in text
    assert "It would fire at 2026-11-25 12:01:35 UTC" in text


def test_what_keeps_a_rule_from_firing_is_told(make_rule, house):
    make_rule(EVENT, cooldown_seconds=300)
    house.tell((DOOR, "off"))
    suppose = ("test", "door", "--at", "2026-11-25T12:01:00", "--set", f"{DOOR}=on")
    assert "✓ its cooldown of 5 min is over" in run(*suppose)[0]

    Rule.objects.update(last_fired_at=START)
    text, code = run(*suppose)
    assert code == 1
    assert "It would not fire: it cools down until 2026-11-25 12:05:00 UTC." in text

    Rule.objects.update(last_fired_at=None, suspended_until=at(120))
    assert "✗ it fired too often and rests until 2026-11-25 12:02:00 UTC" in run(*suppose)[0]

    Rule.objects.update(suspended_until=None, enabled=False)
    assert "It would not fire: it is disabled." in run(*suppose)[0]


def test_testing_a_rule_changes_nothing(rule):
    before = Rule.objects.values().get()
    run("test", "door", "--at", "2026-11-25T22:30:00", "--set", f"{DOOR}=on")

    assert Rule.objects.values().get() == before
    assert not rule.runtimes.exists()


def test_programs_get_an_object(rule):
    text, code = run("test", "door", "--at", "2026-11-25T22:30:00+00:00", "--set", f"{DOOR}=on", "--json")
    told = json.loads(text)

    assert code == 0
    assert (told["fires"], told["fires_at"]) == (True, "2026-11-25T22:30:00+00:00")
    assert [part["holds"] for part in told["steps"][1]["trace"]["parts"]] == [True, True]


def test_a_name_that_is_not_known_gets_a_suggestion(rule):
    assert run("test", "dor") == ("no rule 'dor'; did you mean 'door'?", 2)


def test_a_rule_that_cannot_be_executed_says_where(make_rule):
    make_rule({"type": "dance"})
    text, code = run("test", "door")

    assert code == 1
    assert text.startswith("the rule cannot be executed: then[0].type: ")


@pytest.mark.parametrize("mistake", [["--set", "door"], ["--set", "Door=on"], ["--at", "tonight"]])
def test_an_argument_that_makes_no_sense_is_refused(rule, mistake):
    with pytest.raises(CommandError, match="is not"):
        call_command("rules", "test", "door", *mistake)


def test_the_list_tells_how_every_rule_stands(make_rule, house):
    make_rule(EVENT, name="open")
    make_rule(EVENT, name="long open", wait=60)
    make_rule(EVENT, name="off", enabled=False)
    make_rule({"type": "dance"}, name="wrong")
    resting = make_rule(EVENT, name="resting", when=NIGHT)
    Rule.objects.filter(pk=resting.pk).update(suspended_until=timezone.now() + timedelta(minutes=5), look_at=None)
    house.tell((DOOR, "off"))
    house.tell((DOOR, "on"), at_second=5)
    rows = [line.split("  ") for line in run("list")[0].splitlines()]
    table = [[cell.strip() for cell in row if cell.strip()] for row in rows]

    assert table[0] == ["RULE", "STATE", "CONDITION", "LAST FIRED", "NEXT"]
    since = "holds since 2026-11-25 12:00:05 UTC"
    assert table[1] == ["long open", "enabled", since, "-", "fires 2026-11-25 12:01:05 UTC"]
    assert table[2][:3] == ["off", "disabled", "not known yet"]
    assert table[3] == ["open", "enabled", since, "2026-11-25 12:00:05 UTC", "fires 2026-11-25 12:00:05 UTC"]
    assert table[4][:2] == ["resting", "suspended"]
    assert table[5][:2] == ["wrong", "broken"]
    assert table[5][2].startswith("then[0].type: ")


def test_programs_get_the_list_as_an_array(make_rule):
    firing.schedule(make_rule(EVENT), at(5), now=START)
    (told,) = json.loads(run("list", "--json")[0])

    assert (told["name"], told["holds"], told["due_at"]) == ("door", None, "2026-11-25T12:00:05+00:00")


def test_an_empty_list_says_where_to_begin():
    assert run("list")[0] == "There are no rules yet: write one in the admin.\n"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (json.dumps({"when": DOOR_OPEN, "then": [EVENT]}), 0, "  1. write down an event: door_opened"),
        (json.dumps({"when": DOOR_OPEN, "then": [{"type": "dance"}]}), 1, "then[0].type: 'dance' is not one of"),
        ("{", 1, "is not JSON"),
        ("[" * 100_000, 1, "is not JSON"),
        ("\xff", 1, "is not JSON"),
    ],
)
def test_a_definition_in_a_file_is_checked(tmp_path, text, code, said):
    path = tmp_path / "rule.json"
    path.write_bytes(text.encode("latin-1"))
    printed, exit_code = run("validate", str(path))

    assert exit_code == code
    assert said in printed


def test_a_definition_is_checked_from_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("{}"))

    assert run("validate", "-") == ("when: is missing", 1)


def test_a_file_that_is_not_there_is_bad_usage(tmp_path):
    assert run("validate", str(tmp_path / "nothing"))[1] == 2


def test_the_schema_is_printed_for_an_editor():
    assert json.loads(run("schema")[0])["title"] == "Definition"
