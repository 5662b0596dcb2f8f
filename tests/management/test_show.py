"""``async_tasks show``: one run with all that is known of it."""

import json
from functools import partial

import pytest
from django.utils import timezone

from asyncsched import DailyAt, register
from asyncsched.models import TaskRun
from tests.docs.pages import table
from tests.management.conftest import Call
from tests.management.test_history import run

pytestmark = pytest.mark.django_db

TRACEBACK = 'Traceback (most recent call last):\n  File "tasks.py", line 3\nOSError: no \x1b[31mroute\n'


@pytest.fixture(autouse=True)
def tasks(fresh_registry: None) -> None:
    @register("nightly", DailyAt(3))
    def nightly() -> None: ...


@pytest.fixture
def call(call: Call) -> Call:
    return partial(call, "show")


def latest_id() -> str:
    return TaskRun.objects.latest("id").run_id.hex


def test_it_shows_error_traceback_and_log_lines(call: Call) -> None:
    run(
        ago=1, status="failed", error="OSError: no route", traceback=TRACEBACK, log="12:00 INFO home: asking", attempt=2
    )
    code, text = call(latest_id())
    lines = text.splitlines()
    assert (code, lines[0]) == (0, "nightly: failed")
    assert f"  run            {latest_id()}" in lines
    assert "  error          OSError: no route" in lines
    assert "  notes          attempt 2" in lines
    assert "UTC (1 h ago)" in text
    assert lines[lines.index("Traceback:") + 3] == "  OSError: no  [31mroute"
    assert lines[lines.index("Log:") + 1] == "  12:00 INFO home: asking"


def test_of_a_run_that_goes_on_it_says_when_it_was_last_heard_of(call: Call) -> None:
    run(status="running", duration=None, heartbeat_at=timezone.now())
    text = call(latest_id())[1]
    assert "  last heard of  " in text
    assert "took" not in text


@pytest.mark.parametrize("shape", [str, str.upper, lambda text: text[:8], lambda text: text[:4]])
def test_a_run_is_named_by_its_id_or_the_beginning_of_it(call: Call, shape: "type[str]") -> None:
    run()
    assert latest_id() in call(shape(latest_id()))[1]


def test_or_by_its_task_whose_latest_run_it_is(call: Call) -> None:
    run(ago=2)
    run(ago=1)
    latest = latest_id()
    run(ago=3)
    run("gone", ago=0)
    assert latest in call("nightly")[1]
    assert latest_id() in call("gone")[1]


def test_a_beginning_of_several_ids_is_refused(call: Call) -> None:
    for last in "ab":
        TaskRun.objects.filter(pk=run_pk()).update(run_id=f"aaaa0000-0000-0000-0000-00000000000{last}")
    assert call("aaaa") == (2, "2 runs have ids that begin with aaaa: say more of it")


def run_pk() -> int:
    run()
    return TaskRun.objects.latest("id").pk


@pytest.mark.parametrize(
    ("named", "code", "said"),
    [
        ("0" * 32, 1, "no run has the id"),
        ("abcd", 1, "of the latest 10000 runs no id begins with abcd"),
        ("nightly", 1, "no runs of nightly are recorded"),
        ("nihgtly", 2, "unknown task 'nihgtly': did you mean 'nightly'?"),
    ],
)
def test_what_there_is_not_is_said_in_one_line(call: Call, named: str, code: int, said: str) -> None:
    exit_code, text = call(named)
    assert (exit_code, said in text, len(text.splitlines())) == (code, True, 1)


def test_the_other_attempts_of_the_occurrence_are_named(call: Call) -> None:
    at = timezone.now()
    run(status="failed", scheduled_for=at)
    first = latest_id()
    run(attempt=2, scheduled_for=at)
    assert f"  beside it      {first} failed" in call(latest_id())[1].splitlines()
    assert json.loads(call(latest_id(), "--json")[1])["same_occurrence"] == [first]


def test_json_has_the_keys_of_the_reference(call: Call) -> None:
    run(traceback="a\nb", log="c\nd")
    shown = json.loads(call("nightly", "--json")[1])
    commands = "docs/reference/commands.md"
    assert list(shown) == table(commands, "Key of a run").column(0) + table(commands, "Key that `show` adds").column(0)
    assert (shown["traceback"], shown["log"]) == ("a\nb", "c\nd")
