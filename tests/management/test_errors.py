"""What is wrong is one line on stderr, with the way out."""

import os
import subprocess
import sys

import pytest

from asyncsched import __version__
from asyncsched.management.commands.async_tasks import Command
from tests.management.conftest import Call
from tests.management.test_on_a_terminal import environment
from tests.support.databases import default_database
from tests.support.ports import free_port
from tests.support.postgres import Postgres

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lst",), "argument COMMAND: invalid choice: 'lst' (choose from "),
        ((), "the following arguments are required: COMMAND"),
        (("list", "--watch", "0"), "argument --watch: '0' is not a number of seconds above 0"),
        (("next", "--count", "0"), "argument --count: '0' is not a whole number from 1 to 10000"),
        (("history", "--status", "broken"), "argument --status: invalid choice: 'broken'"),
        (("run", "--timeout", "nan", "x"), "argument --timeout: 'nan' is not a number of seconds above 0"),
        (("list", "--jsno"), "unrecognized arguments: --jsno"),
    ],
)
def test_bad_usage_is_told_in_one_line_and_exits_with_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        Command().run_from_argv(["manage.py", "async_tasks", *arguments])
    captured = capsys.readouterr()
    assert (ended.value.code, captured.out) == (2, "")
    (line,) = captured.err.splitlines()
    assert line.startswith(f"CommandError: {said}")
    assert line.endswith("--help says more)")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run",), "name the tasks to run, or say --all"),
        (("list", "--watch"), "--watch needs a terminal; without one, ask for --json now and then"),
        (("status", "--watch", "--json"), "--watch is for people, --json for programs: say one"),
    ],
)
def test_usage_that_makes_no_sense_exits_with_2(call: Call, arguments: tuple[str, ...], said: str) -> None:
    assert call(*arguments) == (2, said)


@pytest.mark.parametrize("arguments", [("list",), ("run", "--all"), ("status",), ("ask", "count")], ids=" ".join)
def test_a_database_that_is_away_is_said_without_a_traceback(
    call: Call, caplog: pytest.LogCaptureFixture, arguments: tuple[str, ...]
) -> None:
    with default_database(f"postgres://nobody@127.0.0.1:{free_port()}/none", migrate=False):
        code, text = call(*arguments)
    assert (code, len(text.splitlines())) == (1, 1)
    assert text.endswith(": the database does not answer; start it, or correct settings.DATABASES")
    assert [record.getMessage() for record in caplog.records if "\n" in record.getMessage()] == []


def test_a_database_that_lacks_a_migration_is_told_from_one_that_is_away(call: Call, postgres: Postgres) -> None:
    with default_database(postgres.create_database("bare"), migrate=False):
        code, text = call("list")
    postgres.drop_database("bare")
    assert (code, text.endswith(": run 'manage.py migrate'"), len(text.splitlines())) == (1, True, 1)


def test_running_all_of_no_tasks_says_where_they_go(call: Call, fresh_registry: None) -> None:
    assert call("run", "--all") == (
        0,
        "No tasks are registered: put @register functions into an installed app's tasks.py.\n",
    )


def test_without_tasks_nothing_comes(call: Call, fresh_registry: None) -> None:
    assert call("next")[1].startswith("Nothing comes: there are no tasks")


def test_the_version_is_that_of_the_scheduler() -> None:
    assert Command().get_version() == __version__


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: "os.PathLike[str]") -> None:
    env = environment("sqlite:////nowhere/db.sqlite3")
    with subprocess.Popen(
        [sys.executable, "-m", "django", "async_tasks", "names"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1
