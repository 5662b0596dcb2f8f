"""``manage.py async_tasks import``: what it writes where, and how it ends."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from asyncsched.migrating.sources import SOURCES
from tests.docs.pages import table

COMMANDS = "docs/reference/commands.md"
CLASSES = "tests.migrating.cron_classes"
Said = tuple[int, str, str]


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Import from django-cron the classes with these names; returns exit code, stdout and stderr."""
    monkeypatch.setenv("COLUMNS", "80")

    def say(*names: str, options: tuple[str, ...] = ()) -> Said:
        out, err = io.StringIO(), io.StringIO()
        where = ["--where", *(f"{CLASSES}.{name}" for name in names)] if names else []
        try:
            call_command("async_tasks", "import", "--from", "django-cron", *where, *options, stdout=out, stderr=err)
        except SystemExit as exit_:
            return int(exit_.code or 0), out.getvalue(), err.getvalue()
        return 0, out.getvalue(), err.getvalue()

    return say


def test_stdout_is_the_module_and_nothing_else(say: Callable[..., Said]) -> None:
    code, out, _ = say("Twice", "HalfHourly")
    assert code == 0
    compile(out, "tasks.py", "exec", dont_inherit=True)
    assert out.count("@register") == 2


def test_the_table_is_beside_it_and_fits_the_terminal(say: Callable[..., Said]) -> None:
    err = say("Twice", "HalfHourly")[2]
    assert "DJANGO-CRON" in err
    assert err.endswith("\n2 tasks to be reviewed.\n")
    assert max(map(len, err.splitlines())) <= 80


def test_what_is_left_out_is_named_in_both_and_the_exit_code_is_1(say: Callable[..., Said]) -> None:
    code, out, err = say("Twice", "Never")
    assert code == 1
    assert "\n# - shop.never, from tests.migrating.cron_classes.Never: it names no time" in out
    assert err.endswith("1 definition left out, why stands at the end of the module: shop.never\n")


def test_nothing_but_what_is_left_out_is_told_as_well(say: Callable[..., Said]) -> None:
    code, out, err = say("Never")
    assert (code, "@register" in out) == (1, False)
    assert err.startswith("0 tasks to be reviewed.\n")


def test_what_cannot_be_read_at_all_is_one_sentence_and_bad_usage(say: Callable[..., Said]) -> None:
    with pytest.raises(CommandError, match="say which, with --where") as caught:
        say()
    assert caught.value.returncode == 2


@pytest.mark.parametrize(
    ("scheduler", "where"),
    [("apscheduler", "vault.scheduler"), ("celery-beat", "vault"), ("thread-scheduler", "vault")],
)
def test_a_module_may_raise_whatever_it_likes(
    scheduler: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vault.py").write_text("raise RuntimeError('no key\\nto it')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(CommandError, match="RuntimeError: no key to it") as caught:
        call_command("async_tasks", "import", "--from", scheduler, "--where", where)
    assert caught.value.returncode == 2


def test_of_classes_one_that_does_not_load_leaves_the_others_alone(say: Callable[..., Said]) -> None:
    code, out, _ = say("Twice", "Gone", "CronJobBase.x")
    assert (code, out.count("@register"), out.count("mend that, or leave it out")) == (1, 1, 2)


def test_the_module_is_utf_8_whatever_the_terminal_would_have(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    where = f"{CLASSES}.Umlauts"
    call_command(
        "async_tasks", "import", "--from", "django-cron", "--where", where, stdout=stream, stderr=io.StringIO()
    )
    assert '"shop.räumen"' in stream.buffer.getvalue().decode()


def test_an_executor_is_written_into_each_task(say: Callable[..., Said]) -> None:
    _, out, _ = say("Twice", "HalfHourly", options=("--executor", "celery"))
    assert out.count('executor="celery"') == 2


def test_with_json_programs_read_all_of_it(say: Callable[..., Said]) -> None:
    code, out, err = say("Patient", "Never", options=("--json",))
    told: dict[str, Any] = json.loads(out)
    assert (code, err) == (1, "")
    assert told["from"] == "django-cron"
    assert told["tasks"] == [
        {
            "name": "shop.patient",
            "source": f"{CLASSES}.Patient",
            "call": f"{CLASSES}.Patient().do()",
            "schedule": "Every(seconds=1800)",
            "conditions": [],
            "options": {"retry": "Retry(attempts=3, delay=600, factor=1, max_delay=600)"},
            "description": "",
            "remarks": [],
        }
    ]
    assert [left["name"] for left in told["left_out"]] == ["shop.never"]


def test_the_keys_of_the_json_are_listed_in_the_reference(say: Callable[..., Said]) -> None:
    told: dict[str, Any] = json.loads(say("Patient", "Never", options=("--json",))[1])
    assert table(COMMANDS, "Key of an import").column(0) == list(told)
    assert table(COMMANDS, "Key of an imported task").column(0) == list(told["tasks"][0])
    shown = {row[0].strip("`"): set(re.findall("`(\\w+)`", row[1])) for row in table(COMMANDS, "Key of an import").rows}
    assert {name: told[name][0].keys() for name in ("left_out", "differences")} == {
        name: shown[name] for name in ("left_out", "differences")
    }


def test_every_scheduler_is_listed_in_the_reference() -> None:
    assert table(COMMANDS, "`--from`").column(0) == list(SOURCES)
