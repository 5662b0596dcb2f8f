"""What the log says of skipped occurrences and of stalls, and how often."""

import logging
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from asyncsched.engine.runs import Skipped, SkipReason, Stall
from asyncsched.listeners.logs import LogListener

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def stall(
    where: str = "shop/tasks.py:12 (work)",
    *,
    culprit: str = "task work",
    task: str | None = "work",
    seconds: float = 1.25,
) -> Stall:
    return Stall(culprit=culprit, where=where, stack="  File …", began_at=NOW, seconds=seconds, task=task, run_id="7")


def skipped(*, lateness: float = 0.0, reason: SkipReason = SkipReason.COALESCED) -> Skipped:
    return Skipped(task="work", scheduled_for=NOW, reason=reason, count=5, lateness=lateness)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_stall_is_told_with_culprit_line_and_stack(caplog: pytest.LogCaptureFixture) -> None:
    LogListener().stalled(stall())
    (record,) = caplog.records
    assert record.getMessage() == (
        "the event loop stood still for 1.25 s: task work at shop/tasks.py:12 (work)\n  File …"
    )
    assert (record.name, record.levelno) == ("asyncsched.stalls", logging.WARNING)
    assert (record.__dict__["action"], record.__dict__["task"], record.__dict__["run"]) == ("stalled", "work", "7")


def test_a_line_that_stalls_again_and_again_does_not_fill_the_disk(caplog: pytest.LogCaptureFixture) -> None:
    listener = LogListener()
    for _ in range(100):
        listener.stalled(stall())
    assert len(said(caplog)) == 7
    assert "1.25 s, the 64. time there: task work" in said(caplog)[-1]


def test_nor_do_the_addresses_of_requests(caplog: pytest.LogCaptureFixture) -> None:
    listener = LogListener()
    for number in range(100):
        listener.stalled(stall(culprit=f"request GET /orders/{number}", task=None))
    assert len(said(caplog)) == 7


def test_each_line_has_its_own_count(caplog: pytest.LogCaptureFixture) -> None:
    listener = LogListener()
    for line in range(3):
        listener.stalled(stall(f"shop/tasks.py:{line} (work)"))
    assert len(said(caplog)) == 3


def test_so_has_each_task_that_calls_the_same_line(caplog: pytest.LogCaptureFixture) -> None:
    listener = LogListener()
    for task in ("one", "two", "three"):
        listener.stalled(stall(task=task))
    assert len(said(caplog)) == 3


def test_what_was_missed_is_told_with_its_lateness(caplog: pytest.LogCaptureFixture) -> None:
    LogListener().occurrences_skipped(skipped(lateness=2.84))
    assert said(caplog) == ["work: 5 skipped (coalesced), up to 2.8 s late"]


def test_a_thousand_tasks_that_skip_at_once_do_not_flood_the_log(caplog: pytest.LogCaptureFixture) -> None:
    listener = LogListener()
    for number in range(1000):
        listener.occurrences_skipped(replace(skipped(), task=f"work {number}"))
    lines = said(caplog)
    assert len(lines) == 100
    assert "async_tasks history --skipped" in lines[-1]


def test_what_was_noticed_in_time_has_no_lateness(caplog: pytest.LogCaptureFixture) -> None:
    LogListener().occurrences_skipped(skipped(lateness=0.002, reason=SkipReason.OVERLAP))
    assert said(caplog) == ["work: 5 skipped (overlap)"]
