"""What a system may lack: zone files, and the library for cron expressions."""

import os
import subprocess
import sys
from datetime import UTC
from pathlib import Path

import pytest

from asyncsched import Cron
from asyncsched.errors import ScheduleError
from asyncsched.schedules.base import zone_named

BACKEND = Path(__file__).parents[2] / "backend"
WITHOUT = "import sys; sys.modules['tzdata'] = None; from asyncsched import DailyAt; "


def last_line_of(statement: str) -> str:
    """Return the last line that Python writes for *statement*, on a system without zone files."""
    environment = os.environ | {"PYTHONPATH": str(BACKEND), "PYTHONTZPATH": ""}
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT + statement], env=environment, text=True, capture_output=True, check=False
    )
    return (run.stdout + run.stderr).splitlines()[-1]


def test_without_zone_files_a_zone_is_refused_with_the_way_out() -> None:
    line = last_line_of("DailyAt(3, tz='Europe/Berlin')")
    assert line.startswith("asyncsched.errors.ScheduleError: unknown time zone 'Europe/Berlin'")
    assert line.endswith("install the 'tzdata' package if this system has no zone files")


def test_utc_is_known_without_looking_for_a_file() -> None:
    assert zone_named("UTC") is UTC


@pytest.mark.parametrize("schedule", ["DailyAt(3)", "DailyAt(3, tz='UTC')", "DailyAt(3).in_zone('UTC')"])
def test_without_zone_files_utc_works(schedule: str) -> None:
    moment = "datetime(2026, 1, 1, tzinfo=UTC)"
    statement = f"from datetime import UTC, datetime; print({schedule}.next_after({moment}))"
    assert last_line_of(statement) == "2026-01-01 03:00:00+00:00"


def test_without_cronsim_a_cron_expression_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cronsim", None)
    with pytest.raises(ScheduleError) as refusal:
        Cron("* * * * *")
    assert str(refusal.value) == "Cron('* * * * *') needs the library CronSim: pip install 'asyncsched[cron]'"
