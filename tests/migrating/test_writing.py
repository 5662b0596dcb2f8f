"""The module that is written: valid, formatted, and it registers what was found."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import ModuleType

import pytest

from asyncsched import registry
from asyncsched.migrating.code import Call, call_of
from asyncsched.migrating.conditions import begins, only_on
from asyncsched.migrating.found import Found, LeftOut
from asyncsched.migrating.naming import named
from asyncsched.migrating.writing import written
from asyncsched.policy import Retry
from asyncsched.schedules import Cron, DailyAt, Every

PLAIN = Found(name="shop.clear", source="shop.cron.Clear", call=call_of("os:getcwd"), schedule=Every(1800))
MANY = [
    PLAIN,
    replace(PLAIN, name="clear", description='Say "hello" \\o/', options={"retry": Retry(attempts=3, delay=0.5)}),
    replace(PLAIN, name="os", schedule=DailyAt(hour=3), remarks=("Look at this: it is " + "very " * 20 + "odd",)),
    replace(
        PLAIN,
        name="on working days",
        schedule=Cron("*/15 8-18 * * MON-FRI", tz="Europe/Berlin"),
        options={"overlap": "allow", "catch_up_window": timedelta(days=7), "timeout": 90.0},
        conditions=(*only_on(frozenset({1, 3})), begins(datetime(2026, 3, 1, tzinfo=UTC))),
        zone="Europe/Berlin",
    ),
    replace(
        PLAIN,
        name="Räumen",
        call=call_of("os.path:join", ["a" * 30, 'b"c', 1.5], {"named": None, "listed": [1, {"two": "x" * 40}]}),
    ),
    replace(PLAIN, name="later", call=call_of("asyncio:sleep", [0]), is_async=True),
]
LEFT = [
    LeftOut(name="at sunset", source="row 7", problem="the sun's times are no schedule here: " + "ask a library " * 9),
    LeftOut(name="once", source="row 8", problem="it is a job"),
]


@pytest.fixture
def text() -> str:
    found = [one for one in named(MANY) if isinstance(one, Found)]
    return written(found, LEFT, scheduler="another")


@pytest.fixture
def tasks(text: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, registry.Task]:
    """What the module registers."""
    fresh = registry.Registry()
    monkeypatch.setattr(registry, "registry", fresh)
    exec(compile(text, "tasks.py", "exec", dont_inherit=True), vars(ModuleType("tasks")))
    return {task.name: task for task in fresh}


FORMATTED = ["format", "--check", "--diff"]
LINTED = ["check", "--select", "E4,E7,E9,F,I"]


@pytest.mark.parametrize("check", [FORMATTED, LINTED], ids=["formatted", "linted"])
@pytest.mark.parametrize("left_out", [[], LEFT], ids=["all", "some"])
def test_a_formatter_and_a_linter_leave_it_as_it_is(check: list[str], left_out: list[LeftOut]) -> None:
    found = [one for one in named(MANY) if isinstance(one, Found)]
    command = [sys.executable, "-m", "ruff", *check, "--isolated", "--stdin-filename", "tasks.py", "-"]
    done = subprocess.run(
        command, input=written(found, left_out, scheduler="another"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_registers_each_task_with_its_schedule(tasks: dict[str, registry.Task]) -> None:
    assert {name: task.schedule for name, task in tasks.items()} == {one.name: one.schedule for one in MANY}


def test_it_registers_the_options(tasks: dict[str, registry.Task]) -> None:
    options = tasks["on working days"].options
    assert (options.overlap, options.catch_up_window, options.timeout) == ("allow", timedelta(days=7), 90)
    assert tasks["clear"].options.retry == Retry(attempts=3, delay=0.5)


def test_the_description_is_the_docstring_whatever_is_in_it(tasks: dict[str, registry.Task]) -> None:
    assert tasks["clear"].options.description == 'Say "hello" \\o/'


def test_no_function_hides_another_or_a_module(tasks: dict[str, registry.Task]) -> None:
    names = [task.function.__name__ for task in tasks.values()]
    assert names == ["clear", "clear_2", "os_2", "on_working_days", "räumen", "later"]


def test_a_function_does_the_call(tasks: dict[str, registry.Task], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert tasks["shop.clear"].function() == "/"


def test_what_is_to_be_awaited_is_a_coroutine(tasks: dict[str, registry.Task]) -> None:
    assert [name for name, task in tasks.items() if task.is_async] == ["later"]


def test_arguments_that_are_no_names_are_given_as_a_dict() -> None:
    assert call_of("shop.jobs:send", kwargs={"from": 1, "a-b": "x"}).text == 'shop.jobs.send(**{"from": 1, "a-b": "x"})'


def test_what_is_left_out_stands_at_the_end_with_its_reason(text: str) -> None:
    lines = text.partition("# Not imported:\n")[2].splitlines()
    assert all(line.startswith("# ") and len(line) <= 88 for line in lines)
    assert lines[0].startswith("# - at sunset, from row 7: the sun's times are no schedule here")
    assert lines[-1] == "# - once, from row 8: it is a job"


def test_a_module_with_nothing_but_what_is_left_out_has_no_imports() -> None:
    text = written([], LEFT[1:], scheduler="another")
    assert text.splitlines()[1:] == ["", "", "# Not imported:", "# - once, from row 8: it is a job"]


def test_an_expression_is_written_as_it_is() -> None:
    assert Call(function="lambda: True", arguments=None).text == "lambda: True"
