"""Pings to a watchdog: what it gets over the wire, and that neither the loop nor the log suffers from it."""

import logging
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from asyncsched.engine.runs import Claim, Occurrence, RunResult, RunStatus
from asyncsched.listeners import pings
from asyncsched.listeners.pings import PingListener
from tests.support.deadline import eventually
from tests.support.http_sink import Sink, running_sink
from tests.support.ports import free_port

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "b7f3a9c2"
BACKEND = Path(__file__).resolve().parent.parent.parent / "backend"


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as sink:
        yield sink


def pinging(port: int, *, query: str = "") -> PingListener:
    return PingListener({"backup": f"http://127.0.0.1:{port}/{SECRET}{query}"})


def claim(task: str = "backup") -> Claim:
    return Claim(run_id=uuid.uuid4().hex, occurrence=Occurrence(task=task, scheduled_for=NOW))


def ended(status: RunStatus = RunStatus.SUCCEEDED, **facts: Any) -> RunResult:
    return RunResult(claim=claim(), status=status, started_at=NOW, finished_at=NOW, duration=0.1, **facts)


async def asked(sink: Sink, number: int = 1) -> list[tuple[str, str, bytes]]:
    await eventually(lambda: len(sink.requests) >= number)
    return sink.requests


async def test_a_run_pings_when_it_begins_and_when_it_has_succeeded(sink: Sink) -> None:
    listener = pinging(sink.port)
    listener.run_started(claim(), NOW)
    listener.run_finished(ended())
    assert await asked(sink, 2) == [("GET", f"/{SECRET}/start", b""), ("GET", f"/{SECRET}", b"")]


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.TIMED_OUT, RunStatus.CANCELLED], ids=str)
async def test_one_that_did_not_tells_why(sink: Sink, status: RunStatus) -> None:
    pinging(sink.port).run_finished(ended(status, error="OSError: disk full \N{FLOPPY DISK}\ud800"))
    assert await asked(sink) == [("POST", f"/{SECRET}/fail", "OSError: disk full \N{FLOPPY DISK}?".encode())]


async def test_one_that_its_predicate_skipped_is_as_good_as_a_success(sink: Sink) -> None:
    pinging(sink.port).run_finished(ended(RunStatus.SKIPPED))
    assert await asked(sink) == [("GET", f"/{SECRET}", b"")]


async def test_what_an_address_asks_for_stays_behind_the_ending(sink: Sink) -> None:
    pinging(sink.port, query="/?create=1").run_started(claim(), NOW)
    assert await asked(sink) == [("GET", f"/{SECRET}/start?create=1", b"")]


def test_without_an_address_there_is_no_ping_and_no_thread(sink: Sink) -> None:
    before = threading.active_count()
    pinging(sink.port).run_started(claim("another"), NOW)
    assert threading.active_count() == before


async def test_a_watchdog_that_is_away_is_said_once_and_so_is_that_it_is_back(
    sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "asyncsched.listeners")
    listener = pinging(sink.port)
    for status in (500, 500, 200, 200):
        sink.status = status
        before = len(sink.requests)
        listener.run_finished(ended())
        await asked(sink, before + 1)
        listener._pings["backup"].finish(30)
    assert [(record.__dict__["action"], record.getMessage()) for record in caplog.records] == [
        ("ping_failed", "backup: its pings fail (HTTP 500)"),
        ("ping_sent", "backup: its pings arrive again"),
    ]


def test_a_process_that_ends_sends_what_is_left(sink: Sink) -> None:
    code = (
        "from asyncsched.listeners.pings import PingListener\n"
        f"listener = PingListener({{'backup': 'http://127.0.0.1:{sink.port}/{SECRET}'}})\n"
        "for _ in range(5): listener._ping('backup', '')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env={"PYTHONPATH": str(BACKEND)})
    assert sink.paths == [f"/{SECRET}"] * 5


@pytest.mark.parametrize("status", [404, 302], ids=["refused", "led elsewhere"])
async def test_no_log_shows_the_address(sink: Sink, caplog: pytest.LogCaptureFixture, status: int) -> None:
    sink.status = status
    for port in (sink.port, free_port()):
        listener = pinging(port)
        listener.run_finished(ended())
        listener._pings["backup"].finish(30)
    assert len(caplog.records) == 2
    assert SECRET not in caplog.text
    assert sink.paths == [f"/{SECRET}"]  # it is not led elsewhere
    assert SECRET not in repr(listener)


async def test_a_watchdog_that_hangs_keeps_nobody_waiting_and_hears_the_latest_when_it_is_back(
    sink: Sink,
) -> None:
    listener = pinging(sink.port)
    sink.hold.clear()
    listener.run_started(claim(), NOW)
    await asked(sink)
    began = time.process_time()
    for number in range(1_000):
        listener.run_finished(ended(RunStatus.FAILED, error=f"error {number}"))
    assert time.process_time() - began < 1.0
    sink.hold.set()
    sent = await asked(sink, 1 + pings.MOST_WAITING)
    assert [body.decode() for _, _, body in sent[1:]] == [
        f"error {1_000 - n}" for n in range(pings.MOST_WAITING, 0, -1)
    ]


async def test_a_watchdog_that_hangs_delays_no_pings_to_another(sink: Sink) -> None:
    with running_sink() as other:
        listener = PingListener(
            {"backup": f"http://127.0.0.1:{sink.port}/", "other": f"http://127.0.0.1:{other.port}/"}
        )
        sink.hold.clear()
        listener.run_started(claim(), NOW)
        await asked(sink)
        listener.run_started(claim("other"), NOW)
        await eventually(lambda: other.paths == ["/start"], within=pings.TIMEOUT / 2)
        sink.hold.set()
