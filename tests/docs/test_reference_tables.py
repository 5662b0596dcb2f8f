"""The tables of the reference say what the code says."""

import argparse
import inspect
import json
import re
import tomllib
import uuid
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import registry as checks_registry
from django.urls import resolve

import asyncsched
from alarm.status import payload
from asyncsched import conf, errors, policy
from asyncsched.engine.context import Run
from asyncsched.engine.runs import RunStatus, Skipped, SkipReason, Trigger
from asyncsched.management.commands.async_tasks import Command
from asyncsched.management.manual import Attempted
from asyncsched.registry import registry
from asyncsched.server.host import State
from asyncsched.storage.history import PastRun, PastSkip, in_words
from asyncsched.storage.queries import RunView, TaskView
from asyncsched.storage.skips import is_kept
from tests.docs.pages import DOCS, ROOT, Table, blocks, table, tables

REGISTER = "docs/reference/register.md"
COMMANDS = "docs/reference/commands.md"
COMMON = {"--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color"}
COMMON |= {"--force-color", "--skip-checks"}
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def tables_headed(path: str, first: str) -> list[Table]:
    return [found for found in tables(ROOT / path) if found.header[0] == first]


def test_every_setting_is_listed_with_its_default() -> None:
    listed = table("docs/reference/settings.md", "Key")
    shown = dict(zip(listed.column(0), listed.column(1), strict=True))
    assert shown == {field.name.upper(): json_or_python(field.default) for field in fields(conf.Settings)}


def test_every_parameter_of_register_is_listed_with_its_default() -> None:
    listed = table(REGISTER, "Option")
    shown = dict(zip(listed.column(0), listed.column(1), strict=True))
    parameters = inspect.signature(asyncsched.register).parameters.values()
    assert shown == {p.name: "required" if p.default is p.empty else default(p.default) for p in parameters}


def test_every_field_of_retry_is_listed_with_its_default() -> None:
    listed = table(REGISTER, "Field")
    shown = dict(zip(listed.column(0), listed.column(1), strict=True))
    assert shown == {field.name: json_or_python(field.default) for field in fields(policy.Retry)}


def test_every_value_of_a_policy_is_listed() -> None:
    shown = [{value.strip('"') for value in found.column(0)} for found in tables_headed(REGISTER, "Value")]
    assert shown == [set(policy.Overlap), set(policy.CatchUp), set(policy.History)]


ELSEWHERE = {"began_at", "outlives", "is_left", "leave"}  # between the engine and its executors


def test_everything_a_task_may_ask_of_its_run_is_listed() -> None:
    public = {name for name in dir(Run) if not name.startswith("_")}
    shown = {name.partition("(")[0] for name in table(REGISTER, "Attribute").column(0)}
    # What the engine calls or sets, and what progress() set, is not for tasks.
    assert shown == public - {"stop", "done", "total", "done_of_total", "waiting_for", "log", *ELSEWHERE}


def test_every_error_is_listed() -> None:
    raised = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert set(table(REGISTER, "Error").column(0)) == raised - {"AsyncschedError"}


@pytest.mark.parametrize(
    ("heading", "enum"), [("Status", RunStatus), ("Trigger", Trigger), ("Reason", SkipReason)], ids=str
)
def test_every_status_trigger_and_reason_is_listed(heading: str, enum: type) -> None:
    assert table("docs/reference/statuses.md", heading).column(0) == [member.value for member in enum]  # type: ignore[attr-defined]


def test_every_environment_variable_that_is_read_is_listed() -> None:
    sources = [ROOT / "backend/config/settings.py", ROOT / "backend/config/env.py"]
    read = {name for source in sources for name in re.findall(r'env\.\w+\(\s*"(\w+)"', source.read_text())}
    read |= set(re.findall(r"^(PORT) \?=", (ROOT / "Makefile").read_text(), re.MULTILINE))
    read |= set(re.findall(r"\$([A-Z_]+)", (ROOT / "Containerfile").read_text()))
    assert set(table("docs/reference/environment.md", "Variable").column(0)) == read


def test_every_run_time_setting_is_listed_with_its_default() -> None:
    pages = ("docs/howto/retention.md", "docs/howto/alarm-codes.md")
    listed = [table(page, "Setting") for page in pages]
    shown = dict(row for found in listed for row in zip(found.column(0), found.column(1), strict=True))
    assert shown == {name: str(value[0]) for name, value in settings.CONSTANCE_CONFIG.items()}


def test_every_system_check_of_our_own_is_listed() -> None:
    ids = {
        found
        for check in checks_registry.registry.get_checks()
        if check.__module__.split(".")[0] in ("asyncsched", "home")
        for found in re.findall(r'id="([\w.]+)"', inspect.getsource(check))
    }
    pages = ("docs/reference/settings.md", "docs/reference/environment.md")
    assert {id_ for page in pages for id_ in table(page, "Id").column(0)} == ids


def test_every_option_is_told_where_its_subcommand_is_described() -> None:
    sections = re.split(r"^## async_tasks (\w+)$", (ROOT / COMMANDS).read_text(), flags=re.MULTILINE)
    described = dict(zip(sections[1::2], (text.partition("\n## ")[0] for text in sections[2::2]), strict=True))
    told = {name: set(re.findall(r"--[a-z][\w-]*", described.get(name, ""))) for name in subparsers()}
    assert {name: options_of(name) - told[name] for name in told if options_of(name) - told[name]} == {}


def test_every_subcommand_is_described() -> None:
    text = (ROOT / COMMANDS).read_text()
    assert set(re.findall(r"^## async_tasks (\w+)$", text, re.MULTILINE)) == set(subparsers())


def test_the_keys_of_the_json_list_are_listed() -> None:
    run: Any = RunView(**dict.fromkeys((field.name for field in fields(RunView)), moment()))
    view = TaskView(**dict.fromkeys((field.name for field in fields(TaskView)), moment()) | {"last_run": run})
    assert table(COMMANDS, "Key").column(0) == [key for key in view.as_json() if key != "last_success_at"] + [
        "last_success_at"
    ]
    assert table(COMMANDS, "Key in `last_run`").column(0) == list(run.as_json())


@pytest.mark.parametrize(("heading", "view"), [("Key of a run", PastRun), ("Key of a skip", PastSkip)])
def test_the_keys_of_the_json_history_are_listed(heading: str, view: type) -> None:
    shown: Any = view(**dict.fromkeys((field.name for field in fields(view)), moment()))
    assert table(COMMANDS, heading).column(0) == list(shown.as_json())


def test_every_skip_reason_that_is_kept_has_a_remedy() -> None:
    said = {row[0] for row in table("docs/howto/it-did-not-run.md", "What it says").rows}
    reasons = [Skipped(task="any", scheduled_for=moment(), reason=reason) for reason in SkipReason]
    assert said == {in_words(skipped.reason) for skipped in reasons if is_kept(None, skipped)}


def test_the_keys_of_a_refused_run_are_told() -> None:
    assert list(Attempted(task="any").as_json()) == ["task", "status", "reason"]


def test_the_status_message_is_shown_with_its_keys() -> None:
    page = DOCS / "reference" / "http-and-websocket.md"
    (message,) = [json.loads(b.text) for b in blocks("json", page=page) if "system_status" in b.text]
    shown = {name: set(part) for name, part in message["payload"].items()}
    assert shown == {name: set(part) for name, part in payload(None).items()}


def test_every_address_leads_to_a_page() -> None:
    for address in table("docs/reference/http-and-websocket.md", "Address").column(0):
        assert resolve(address.replace("ID", str(uuid.UUID(int=0))))


def test_every_state_of_readiness_is_listed() -> None:
    assert table("docs/reference/http-and-websocket.md", "`state`").column(0) == [state.value for state in State]


def test_the_readme_lists_every_task_of_the_alarm_with_its_schedule() -> None:
    listed = table("README.md", "Task")
    shown = dict(zip(listed.column(0), listed.column(1), strict=True))
    tasks = [task for task in registry if not task.name.startswith("asyncsched.")]  # else the scheduler's own
    assert shown == {task.name: task.schedule.in_zone("UTC").describe() for task in tasks}


def test_every_dependency_has_its_line() -> None:
    project = PYPROJECT["project"]
    extras = [line for extra in project["optional-dependencies"].values() for line in extra]
    wanted = {re.split(r"[\[>=]", line)[0] for line in [*project["dependencies"], *extras]} - {"asyncsched"}
    listed = [name for found in tables_headed("docs/dependencies.md", "Dependency") for name in found.column(0)]
    assert sorted(listed) == sorted(wanted | {"hatchling"})


def test_the_changelog_tells_of_this_version() -> None:
    assert PYPROJECT["project"]["version"] == asyncsched.__version__
    assert f"\n## [{asyncsched.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_every_make_target_is_listed() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    listed = [target.removeprefix("make ") for target in table("CONTRIBUTING.md", "Target").column(0)]
    assert sorted(listed) == sorted(targets)


def test_the_extras_the_docs_install_exist() -> None:
    texts = [page.read_text() for page in (ROOT / "README.md", *Path(DOCS).rglob("*.md"))]
    named = {
        name for text in texts for found in re.findall(r"asyncsched\[([\w,]+)\]", text) for name in found.split(",")
    }
    assert named <= set(PYPROJECT["project"]["optional-dependencies"])


def subparsers() -> dict[str, argparse.ArgumentParser]:
    parser = Command().create_parser("manage.py", "async_tasks")
    (action,) = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(action.choices)


def options_of(subcommand: str) -> set[str]:
    """Return the options that *subcommand* has of its own, beside those of every command."""
    actions = subparsers()[subcommand]._actions
    return {option for action in actions for option in action.option_strings if option.startswith("--")} - COMMON


def default(value: object) -> str:
    """Return a default as the table shows it: policies as text, lengths of time as calls."""
    if isinstance(value, policy.Overlap | policy.Scope):
        return f'"{value}"'
    return "timedelta(days=1)" if repr(value) == "datetime.timedelta(days=1)" else json_or_python(value)


def json_or_python(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def moment() -> Any:
    from datetime import UTC, datetime

    return datetime(2026, 1, 1, tzinfo=UTC)
