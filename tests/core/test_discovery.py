"""``tasks.py`` of every installed app is found; a mistake in one is named with its place."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
START = """
import django
from django.conf import settings
settings.configure(INSTALLED_APPS=["asyncsched", "shop"], SECRET_KEY="x")
django.setup()
from asyncsched.registry import registry
print(*(task.name for task in registry))
"""


def start(folder: Path, tasks: str) -> subprocess.CompletedProcess[str]:
    """Start Django with an app ``shop`` that has these *tasks*."""
    (folder / "shop").mkdir()
    (folder / "shop" / "__init__.py").touch()
    (folder / "shop" / "tasks.py").write_text(f"from asyncsched import *\n\n{tasks}\ndef clean(): ...\n")
    environment = {"PYTHONPATH": f"{ROOT / 'backend'}:{folder}"}
    return subprocess.run(
        [sys.executable, "-c", START], env=environment, capture_output=True, text=True, check=False, cwd=folder
    )


def test_tasks_are_found_by_their_file(tmp_path: Path) -> None:
    assert start(tmp_path, '@register("clean", DailyAt(3))').stdout == "asyncsched.prune_history clean\n"


@pytest.mark.parametrize(
    ("schedule", "complaint"),
    [
        ('Cron("61 * * * *")', "Cron('61 * * * *'): Bad minute"),
        ('DailyAt(3, tz="Europe/Berlyn")', "unknown time zone 'Europe/Berlyn'"),
        ("Every(2, jitter=1)", "jitter must be at least 0 and below half the interval"),
        ("DailyAt(25)", "hour must be a whole number from 0 to 23"),
    ],
)
def test_a_schedule_that_cannot_be_is_named_with_file_line_and_fix(
    tmp_path: Path, schedule: str, complaint: str
) -> None:
    started = start(tmp_path, f'@register("clean", {schedule})')
    assert started.returncode == 1
    last_line = started.stderr.splitlines()[-1]
    assert last_line.startswith(f"asyncsched.errors.ScheduleError: {tmp_path / 'shop' / 'tasks.py'}:3: ")
    assert complaint in last_line


def test_a_registration_that_cannot_be_is_named_with_file_line_and_fix(tmp_path: Path) -> None:
    started = start(tmp_path, '@register("clean", DailyAt(3), overlap="replace")')
    last_line = started.stderr.splitlines()[-1]
    assert "shop/tasks.py:3 (clean): overlap='replace': must be one of skip, queue, allow" in last_line
