"""The log lines of runs in history: which of them are kept, and that any database takes them."""

from typing import Any

import pytest

from asyncsched.engine.runs import RunStatus
from asyncsched.models import TaskRun
from asyncsched.storage.backlog import Backlog
from asyncsched.storage.connections import thread_connections
from asyncsched.storage.intake import MOST_WITH_LOG
from asyncsched.storage.records import Record
from asyncsched.storage.writer import Writer
from tests.storage.histories import KEPT, SUMMED, ran, taken
from tests.storage.test_store_contract import NOON


def records(*logs: str | None, slow_run: float = 1.0) -> tuple[Record, ...]:
    """Return what becomes of runs of one minute that wrote *logs*."""
    backlog = Backlog(replica="here", slow_run=slow_run)
    for number, log in enumerate(logs):
        backlog.add(SUMMED, ran(SUMMED, 2 * number, log=log))
    return taken(backlog).records


def test_a_row_that_runs_share_has_the_lines_of_the_last() -> None:
    (row,) = records("the first", "the second")
    assert (row.count, row.log) == (2, "the second")


def test_a_later_run_that_wrote_nothing_leaves_them() -> None:
    (row,) = records(None, "something", None)
    assert row.log == "something"


def test_lines_alone_give_a_run_no_row_of_its_own() -> None:
    (row,) = records(*["12:00:00.000 WARNING shop: still no answer"] * 30)
    assert row.count == 30


def test_while_the_database_is_away_not_every_run_that_waits_keeps_its_lines() -> None:
    backlog = Backlog(replica="here", slow_run=1.0)
    for number in range(MOST_WITH_LOG + 500):
        backlog.add(KEPT, ran(KEPT, 2 * number, RunStatus.FAILED, log="x" * 20_000))
    kept = [row.log for row in taken(backlog).records]
    assert sum(log is not None for log in kept) == MOST_WITH_LOG
    assert len(kept) == MOST_WITH_LOG + 500


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        (None, None),
        ("12:00:00.000 INFO shop: 3 orders", "12:00:00.000 INFO shop: 3 orders"),
        ("nul \0, half a pair \ud800, emoji \N{GRINNING FACE}", "nul \ufffd, half a pair ?, emoji \N{GRINNING FACE}"),
        ("\N{GRINNING FACE}" * 20_000, "\N{GRINNING FACE}" * 20_000),
    ],
    ids=["nothing", "a line", "odd characters", "a lot"],
)
def test_a_database_takes_what_a_run_wrote(database: Any, written: str | None, stored: str | None) -> None:
    with thread_connections():
        writer = Writer(replica="here", now=lambda: NOON)
        writer.add(KEPT, ran(KEPT, 0, log=written))
        writer.write_now()
        assert TaskRun.objects.get().log == stored
