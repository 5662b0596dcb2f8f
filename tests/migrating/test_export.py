"""``manage.py async_tasks export``: what it writes, and that it comes back as it was."""

import ast
import io
import sys

import pytest
from django.core.management import CommandError, call_command

from asyncsched import Cron, DailyAt, Every, Retry, register
from tests.management.conftest import fresh_registry  # noqa: F401 - a fixture
from tests.migrating.side_by_side import HERE, in_process

SITE = "export_site"


@pytest.fixture
def export(fresh_registry: None, monkeypatch: pytest.MonkeyPatch) -> object:  # noqa: F811 - the fixture
    monkeypatch.setenv("COLUMNS", "80")

    def export(*options: str) -> tuple[int, str, str]:
        """Return exit code, stdout and stderr of exporting to Celery beat."""
        out, err = io.StringIO(), io.StringIO()
        try:
            call_command("async_tasks", "export", "--to", "celery-beat", *options, stdout=out, stderr=err)
        except SystemExit as exit_:
            return int(exit_.code or 0), out.getvalue(), err.getvalue()
        return 0, out.getvalue(), err.getvalue()

    return export


def look() -> None:
    """Look at something."""


async def watch() -> None:
    """Watch something."""


def literal(text: str, name: str) -> object:
    """Return the value that *name* has in the module *text*, calls as they are written."""
    (value,) = [
        node.value for node in ast.parse(text).body if isinstance(node, ast.Assign) and node.targets[0].id == name
    ]
    return {
        key.value: {of.value: ast.unparse(it) for of, it in zip(one.keys, one.values, strict=True)}
        for key, one in zip(value.keys, value.values, strict=True)
    }


def test_what_is_exported_and_imported_again_runs_at_the_same_times() -> None:
    times = in_process(SITE, HERE / SITE / "round_trip.py", months=())
    before, settings, rows = times["before"], times["settings"], times["rows"]
    assert before.keys() - settings.keys() == {"month_end", "by_the_second", "there", "each"}
    assert before.keys() - rows.keys() == {"month_end", "by_the_second", "each"}
    # The table says so: beat_schedule knows no offset, a crontab no second, and neither knows run_on_start.
    assert {name for name in settings if settings[name] != before[name]} == {"nightly", "six_hours"}
    assert {name for name in rows if rows[name] != before[name]} == {"nightly", "there"}
    assert times["disabled"] == ["paused"]


def test_a_schedule_of_both_days_is_two_entries_of_one_task(export: object) -> None:
    register("both", Cron("0 9 1 * MON"))(look)
    code, out, _ = export()
    schedule = literal(out, "CELERY_BEAT_SCHEDULE")
    assert code == 0
    assert [one["schedule"] for one in schedule.values()] == [
        "crontab(minute='0', hour='9', day_of_month='1')",
        "crontab(minute='0', hour='9', day_of_month='2-31', day_of_week='mon')",
    ]
    assert {one["task"] for one in schedule.values()} == {"'both'"}


def test_timeout_and_retries_become_those_of_the_celery_task(export: object) -> None:
    register("often", Every(60), timeout=12.5, retry=Retry(attempts=3, delay=5))(look)
    text = export()[1]
    for part in ("soft_time_limit=13", "autoretry_for=(Exception,)", "max_retries=2", "retry_backoff=5"):
        assert f"    {part},\n" in text


def test_a_coroutine_gets_a_loop_of_its_own(export: object) -> None:
    register("watch", Every(60))(watch)
    assert "return async_to_sync(tests.migrating.test_export.watch)()" in export()[1]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"overlap": "skip"}, "overlap"),
        ({"enabled_when": lambda: True}, "condition"),
        ({"run_on_start": True}, "first run"),
        ({"timeout": 5}, "timeout"),
        ({"retry": Retry(attempts=2)}, "after a failure"),
        ({"suspend_after": 3}, "after a failure"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_lost_is_in_the_table(export: object, options: dict[str, object], told: str) -> None:
    register("look", DailyAt(12), **{"overlap": "allow"} | options)(look)
    assert f"\n{told} " in export()[2]


def test_nothing_is_said_of_what_a_task_does_not_have(export: object) -> None:
    register("look", DailyAt(12), overlap="allow")(look)
    topics = {line[:22].strip() for line in export()[2].splitlines() if line[:1].isalpha()}
    assert topics == {"What means something e", "WHAT", "missed", "several processes"}


@pytest.mark.parametrize(
    ("schedule", "options", "why"),
    [
        (DailyAt(3), {"scope": "replica"}, "for every process"),
        (DailyAt(3), {"enabled": False}, "no switch"),
        (Cron("0 0 L * *"), {}, "no last day"),
    ],
    ids=["replica", "disabled", "last day"],
)
def test_what_cannot_be_sent_is_left_out_with_the_reason(
    export: object, schedule: object, options: dict[str, object], why: str
) -> None:
    register("look", schedule, **options)(look)
    code, out, err = export()
    assert code == 1
    assert why in " ".join(out.replace("\n#", "").split())
    assert err.endswith("1 definition left out, why stands at the end of the module: look\n")


def test_one_zone_is_that_of_the_settings_and_rows_have_their_own(export: object) -> None:
    register("here", DailyAt(3, tz="Europe/Berlin"))(look)
    register("there", DailyAt(4, tz="Asia/Tokyo"))(watch)
    assert "it is in Asia/Tokyo, and beat_schedule is in Europe/Berlin" in " ".join(
        export()[1].replace("\n#", "").split()
    )
    code, out, _ = export("--format", "rows")
    assert (code, "Asia/Tokyo" in literal(out, "ROWS")["there"]["crontab"]) == (0, True)


def test_without_celery_a_sentence_says_what_to_install(export: object, monkeypatch: pytest.MonkeyPatch) -> None:
    register("look", DailyAt(12))(look)
    monkeypatch.setitem(sys.modules, "celery", None)
    with pytest.raises(CommandError, match="Celery is not installed: pip install"):
        export()


def test_who_else_there_is_to_export_to_is_said(export: object) -> None:
    with pytest.raises(CommandError, match="invalid choice: 'quartz'"):
        call_command("async_tasks", "export", "--to", "quartz")
