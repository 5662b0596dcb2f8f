"""``async_tasks completion``: scripts that real shells take, and what bash completes with its."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.management.conftest import Call
from tests.management.test_on_a_terminal import PROJECT
from tests.support.programs import program
from tests.support.terminal import ROOT

COMMAND = f"{sys.executable} -m django async_tasks"

ASK = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
_async_tasks
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def script(call: Call, tmp_path: Path) -> Path:
    script = tmp_path / "completion.bash"
    script.write_text(call("completion", "bash")[1])
    return script


def completed(script: Path, line: str, *, before: str = "") -> set[str]:
    """Return what bash offers for the last word of *line*."""
    done = subprocess.run(
        ["bash", "--norc", "-c", before + ASK, "bash", str(script), *line.split(" ")],
        env=os.environ | {
            "DJANGO_SETTINGS_MODULE": "settings",
            "DATABASE_URL": "sqlite:////nowhere/db.sqlite3",
            "PYTHONPATH": os.pathsep.join([str(PROJECT), str(ROOT / "backend")]),
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )  # fmt: skip
    assert not done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("python manage.py async_tasks hi", {"history"}),
        ("./manage.py async_tasks run --", {"--all", "--force", "--json", "--timeout"}),
        ("python manage.py async_tasks history --status f", {"failed"}),
        ("python manage.py async_tasks completion ", {"bash", "zsh", "fish"}),
        ("python manage.py async_tasks import --", {"--executor", "--from", "--json", "--where"}),
        ("python manage.py async_tasks import --from d", {"django-background-tasks", "django-cron"}),
        ("python manage.py async_tasks import ", set()),
        ("python manage.py async_tasks history --since ", set()),
        ("python manage.py async_tasks list -", {"--json", "--watch"}),
        ("python manage.py asy", {"async_tasks"}),
        ("python manage.py mig", set()),
    ],
)
def test_bash_completes_subcommands_options_and_values(script: Path, line: str, offered: set[str]) -> None:
    assert completed(script, line) == offered


def test_bash_completes_names_of_tasks_without_a_database(script: Path) -> None:
    assert completed(script, f"{COMMAND} run co") == {"count"}


def test_bash_leaves_other_commands_to_the_completion_of_django(script: Path) -> None:
    django = "_django_completion() { COMPREPLY=(migrate); }\n"
    assert completed(script, "python manage.py mig", before=django) == {"migrate"}


def test_what_completes_python_already_stays(script: Path) -> None:
    done = subprocess.run(
        ["bash", "--norc", "-c", "complete -W theirs python; source $1; complete -p", "bash", str(script)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "complete -W 'theirs' python\n" in done.stdout
    assert "complete -o default -F _async_tasks manage.py\n" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_valid_and_names_every_subcommand(call: Call, tmp_path: Path, shell: str) -> None:
    text = call("completion", shell)[1]
    for subcommand in ("list", "run", "ask", "next", "history", "show", "status", "pause", "resume", "completion"):
        assert subcommand in text
    assert "@" not in text.replace("COMP_WORDS[@]", "").replace("COMPREPLY[@]", "")
    script = tmp_path / "script"
    script.write_text(text)
    subprocess.run([program(shell), "-n", str(script)], check=True, timeout=60)


def test_names_are_told_one_a_line(call: Call) -> None:
    code, text = call("names")
    assert code == 0
    assert "asyncsched.prune_history" in text.splitlines()
