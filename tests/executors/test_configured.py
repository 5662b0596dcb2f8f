"""Executors by the names that tasks give them: made once, and what keeps one from being used is said with the task."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from asyncsched import conf
from asyncsched.checks import check_executors, check_settings
from asyncsched.errors import ConfigurationError
from asyncsched.executors import configured
from asyncsched.executors.configured import Setup
from asyncsched.executors.processes import ProcessExecutor
from asyncsched.policy import Scope
from tests.engine.conftest import make_task


def problem_of(executors: dict[str, Any] | None = None, **options: Any) -> str:
    """Return what is said of a task with *options* where EXECUTORS are *executors*."""
    settings = conf.Settings(executors=executors)
    task = make_task(name="rebuild", **options)
    (problem,) = configured.problems([make_task(name="local"), task], settings)
    with pytest.raises(ConfigurationError) as raised:
        configured.made([task], settings, "here")
    assert str(raised.value) == problem
    return problem


def test_tasks_that_name_the_same_executor_share_it_and_those_that_stay_have_none() -> None:
    tasks = [make_task(name="local"), *(make_task(name=str(number), executor="processes") for number in range(2))]
    made = configured.made(tasks, conf.Settings(), "here")
    assert list(made) == ["processes"]
    assert isinstance(made["processes"], ProcessExecutor)


class Recorded:
    """Says of what it was made."""

    outlives = False

    def __init__(self, setup: Setup) -> None:
        self.setup = setup


def test_an_executor_of_the_project_s_own_gets_its_options() -> None:
    executors = {"own": {"BACKEND": f"{__name__}.Recorded", "OPTIONS": {"speed": 3}}}
    settings = conf.Settings(executors=executors, log_lines=7)
    made: Any = configured.made([make_task(executor="own")], settings, "here")["own"]
    assert made.setup == Setup(name="own", replica="here", log_lines=7, options={"speed": 3})


@pytest.mark.parametrize(
    ("executors", "name", "complaint"),
    [
        (None, "celry", "executor='celry' is not known (did you mean 'celery'?)"),
        (None, "nonsense", "executor='nonsense' is not known; known are celery, local, processes, tasks"),
        ({"nightly": {}}, "nightly", "executor='nightly' is not known"),
        ({"own": {"BACKEND": "nowhere.Executor"}}, "own", "cannot be used: ModuleNotFoundError: No module named 'now"),
        ({"own": {"BACKEND": "nowhere"}}, "own", "cannot be used: ImportError: nowhere doesn't look like a module"),
        (
            {"processes": {"OPTIONS": {"max_workers": "many"}}},
            "processes",
            "executor='processes' cannot be used: OPTIONS['max_workers'] must be a whole number above 0",
        ),
    ],
)
def test_what_keeps_a_task_from_being_handed_off_is_said_with_its_name_and_place(
    executors: dict[str, Any] | None, name: str, complaint: str
) -> None:
    problem = problem_of(executors, executor=name)
    assert problem.startswith("task 'rebuild' at tests/engine/conftest.py:")
    assert complaint in problem


def test_runs_that_outlive_a_process_cannot_be_those_of_each() -> None:
    executors = {"own": {"BACKEND": f"{__name__}.Outliving"}}
    assert "is for scope='cluster' only" in problem_of(executors, executor="own", scope=Scope.REPLICA)


class Outliving(Recorded):
    outlives = True


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (["celery"], "must be a dict of executors by name"),
        ({"local": {}}, "has 'local', which cannot be the name of an executor"),
        ({"own": "shop.Executor"}, "needs a dict of BACKEND and OPTIONS for 'own'"),
        ({"own": {"QUEUE": "x"}}, "needs a dict of BACKEND and OPTIONS for 'own'"),
        ({"own": {"BACKEND": Recorded}}, "needs a dotted path as BACKEND of 'own'"),
        ({"own": {"OPTIONS": ["x"]}}, "needs a dict as OPTIONS of 'own'"),
    ],
)
def test_settings_that_name_no_executors_are_an_error_and_tasks_are_not_blamed(
    settings: Any, given: Any, complaint: str
) -> None:
    settings.ASYNCSCHED = {"EXECUTORS": given}
    (message,) = check_settings(None)
    assert complaint in message.msg
    assert check_executors(None) == []


START = """
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["asyncsched", "shop"],
    SECRET_KEY="x",
    ASYNCSCHED={"EXECUTORS": {"own": {"BACKEND": "shop.own.Executor"}, "bad": {"BACKEND": "shop.bad.Executor"}}},
)
django.setup()
"""


def test_where_tasks_are_found_the_executors_are_imported_that_they_name_and_a_bad_one_stops_nobody(
    tmp_path: Path,
) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "__init__.py").touch()
    (shop / "own.py").write_text("print('imported')\nclass Executor: ...\n")
    (shop / "bad.py").write_text("1 / 0\n")
    tasks = [f"@register({name!r}, DailyAt(3), executor={name!r})\ndef {name}(): ...\n" for name in ("own", "bad")]
    (shop / "tasks.py").write_text("from asyncsched import *\n" + "\n".join(tasks))
    root = Path(__file__).resolve().parents[2]
    started = subprocess.run(
        [sys.executable, "-c", START],
        env={"PYTHONPATH": f"{root / 'backend'}:{tmp_path}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert started.stdout == "imported\n"
