"""A thread that does not end: the log says at which line it hangs."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from asyncsched import Every
from asyncsched.engine.clock import SystemClock
from asyncsched.engine.executor import LocalExecutor
from asyncsched.engine.runner import Runner
from asyncsched.engine.runs import Claim, Occurrence, RunResult
from tests.engine.conftest import make_task

HERE = Path(__file__).relative_to(Path.cwd())


async def hang(executor: LocalExecutor, *, name: str, release: threading.Event) -> RunResult:
    """Run a task past its timeout that goes on until *release*."""

    def work() -> None:
        release.wait()

    results: list[RunResult] = []
    task = make_task(work, Every(60), name=name, is_async=False, timeout=0.1)
    claim = Claim(run_id="1", occurrence=Occurrence(task=name, scheduled_for=datetime.now(UTC)))
    await Runner(SystemClock(), executor).run(task, claim, due_at=datetime.now(UTC), report=results.append)
    return results[0]


def line_of(text: str) -> int:
    lines = Path(__file__).read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if line.strip() == text)


async def test_one_that_is_written_off_is_told_with_its_line(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()
    await hang(LocalExecutor(2), name="stuck", release=release)
    release.set()
    (record,) = [record for record in caplog.records if record.__dict__.get("task") == "stuck"]
    assert record.getMessage() == (
        "stuck: its thread does not end and is written off (1 more may be); "
        f"it hangs at {HERE}:{line_of('release.wait()')} (hang.<locals>.work)"
    )
    assert (record.__dict__["action"], record.__dict__["task"]) == ("thread_written_off", "stuck")


async def test_so_is_one_that_may_not_be_written_off_any_more(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()
    executor = LocalExecutor(1)
    for number in (1, 2):
        await hang(executor, name=f"stuck {number}", release=release)
    release.set()
    (record,) = [record for record in caplog.records if record.__dict__.get("task") == "stuck 2"]
    assert "stuck 2: its thread does not end and keeps its place: no more may be written off" in record.getMessage()
    assert record.__dict__["action"] == "thread_kept"
