"""The listeners of the documentation do what it says of them."""

import logging
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from asyncsched import Claim, Listener, Occurrence, RunResult, RunStatus
from tests.docs.pages import DOCS, ROOT, blocks

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EXAMPLES = [
    block.text for block in blocks("python", page=DOCS / "howto" / "listeners.md") if "(Listener)" in block.text
]

DRIVE = """
import uuid
from datetime import UTC, datetime

from asyncsched import Claim, Occurrence

told = []


async def tell(text):
    told.append(text)


async def drive():
    reports = asyncio.create_task(report_failures())
    for status in (RunStatus.SUCCEEDED, RunStatus.FAILED):
        now = datetime.now(UTC)
        claim = Claim(run_id=uuid.uuid4().hex, occurrence=Occurrence(task="backup", scheduled_for=now))
        result = RunResult(
            claim=claim, status=status, started_at=now, finished_at=now, duration=1.0, error="OSError: disk full"
        )
        Failures().run_finished(result)
    while not told:
        await asyncio.sleep(0)
    reports.cancel()
    print(told)


asyncio.run(drive())
"""


@pytest.mark.parametrize(("duration", "lines"), [(59.0, []), (61.0, ["backup took 61 s"])])
def test_the_first_complains_about_slow_runs(
    caplog: pytest.LogCaptureFixture, duration: float, lines: list[str]
) -> None:
    names: dict[str, Any] = {"__name__": "shop.listeners"}
    exec(EXAMPLES[0], names)
    listener: Listener = names["SlowRuns"]()
    claim = Claim(run_id="1", occurrence=Occurrence(task="backup", scheduled_for=NOW))
    listener.run_finished(
        RunResult(claim=claim, status=RunStatus.SUCCEEDED, started_at=NOW, finished_at=NOW, duration=duration)
    )
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == lines


def test_the_second_hands_failures_to_a_service(tmp_path: Path) -> None:
    script = tmp_path / "listeners.py"
    script.write_text(EXAMPLES[1] + DRIVE)
    ended = subprocess.run(
        [sys.executable, str(script)],
        env={"PYTHONPATH": str(ROOT / "backend")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.stdout, ended.stderr) == ("['backup: OSError: disk full']\n", "")
