"""Log lines that tell which task and which run they belong to, as text and as JSON."""

import asyncio
import json
import logging
import logging.config
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from asyncsched.engine.executor import LocalExecutor
from asyncsched.engine.runner import Runner
from asyncsched.engine.runs import Claim, Occurrence, RunResult, RunStatus
from asyncsched.listeners.logs import LogListener
from asyncsched.testing import VirtualClock
from tests.engine.conftest import make_task

ROOT = Path(__file__).resolve().parent.parent.parent
NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUN = uuid.uuid4().hex
CLAIM = Claim(run_id=RUN, occurrence=Occurrence(task="backup", scheduled_for=NOW))

LOGGERS = ("shop", "asyncsched.runs")

logger = logging.getLogger("shop")


class Log:
    """The log of this deployment in one of its formats, written into memory."""

    def __init__(self, stream: StringIO) -> None:
        self.stream = stream

    @property
    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


def opened(format_: str) -> Iterator[Log]:
    """Open a log: the filter and the formatter are those of the settings, the handler is one more."""
    parts = logging.config.DictConfigurator(settings.LOGGING)
    handler = logging.StreamHandler(stream := StringIO())
    handler.addFilter(parts.configure_filter(dict(settings.LOGGING["filters"]["task"])))
    handler.setFormatter(parts.configure_formatter(dict(settings.LOGGING["formatters"][format_])))
    for name in LOGGERS:
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).setLevel(logging.INFO)
    yield Log(stream)
    for name in LOGGERS:
        logging.getLogger(name).removeHandler(handler)
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture
def text() -> Iterator[Log]:
    yield from opened("text")


@pytest.fixture
def as_json() -> Iterator[Log]:
    yield from opened("json")


async def run(function: Callable[[], Any], *, is_async: bool = True) -> None:
    task = make_task(function, name="backup", is_async=is_async)
    await Runner(VirtualClock(), LocalExecutor(1)).run(task, CLAIM, due_at=NOW, report=lambda _: None)


class TestText:
    async def test_a_line_of_a_run_begins_with_its_task_and_its_run(self, text: Log) -> None:
        await run(lambda: logger.info("%d files", 3), is_async=False)
        assert [line.partition(" INFO ")[2] for line in text.lines] == [f"   shop: [backup {RUN}] 3 files"]

    def test_a_line_of_anything_else_shows_no_gap(self, text: Log) -> None:
        logger.info("3 files")
        assert [line.partition(" INFO ")[2] for line in text.lines] == ["   shop: 3 files"]

    def test_what_the_scheduler_says_about_a_run_tells_it_too(self, text: Log) -> None:
        result = RunResult(
            claim=CLAIM, status=RunStatus.FAILED, started_at=NOW, finished_at=NOW, duration=1.0, error="OSError: full"
        )
        LogListener().run_finished(result)
        assert text.lines[0].endswith(f"asyncsched.runs: [backup {RUN}] backup: failed: OSError: full")

    def test_other_handlers_get_the_message_as_it_was(self, text: Log, caplog: pytest.LogCaptureFixture) -> None:
        logger.info("3 files", extra={"task": "backup"})
        assert "shop: [backup] 3 files" in text.lines[0]
        assert caplog.messages == ["3 files"]


class TestJson:
    async def test_a_line_of_a_run_has_its_task_and_its_run(self, as_json: Log) -> None:
        async def work() -> None:
            logger.warning("%d files", 3, extra={"disk": "sda"})

        await run(work)
        (record,) = as_json.records
        assert datetime.fromisoformat(record.pop("timestamp")).tzinfo is not None
        assert record == {
            "level": "WARNING",
            "logger": "shop",
            "message": "3 files",
            "task": "backup",
            "run": RUN,
            "disk": "sda",
        }

    def test_a_line_of_anything_else_has_them_empty(self, as_json: Log) -> None:
        logger.info("3 files")
        (record,) = as_json.records
        assert (record["task"], record["run"]) == ("", "")

    def test_what_is_about_no_task_has_them_empty_as_well(self, as_json: Log) -> None:
        logger.info("a request blocked the loop", extra={"task": None, "run": None})
        (record,) = as_json.records
        assert (record["task"], record["run"]) == ("", "")

    def test_an_exception_stays_on_its_line(self, as_json: Log) -> None:
        try:
            {}["order 7"]
        except KeyError:
            logger.exception("one is skipped")
        (record,) = as_json.records
        assert record["exc_info"].endswith("KeyError: 'order 7'")

    def test_a_request_that_django_adds_is_left_out(self, as_json: Log, rf: Any) -> None:
        logger.warning("Not Found: /", extra={"status_code": 404, "request": rf.get("/?token=s3cret")})
        (record,) = as_json.records
        assert record["status_code"] == 404
        assert "s3cret" not in as_json.stream.getvalue()


@pytest.mark.parametrize("function", ["thread", "task", "timer"])
async def test_what_a_run_starts_belongs_to_it(as_json: Log, function: str) -> None:
    done = asyncio.Event()

    async def write() -> None:
        logger.info("here")
        done.set()

    async def work() -> None:
        if function == "thread":
            await asyncio.to_thread(logger.info, "here")
            done.set()
        elif function == "task":
            await asyncio.create_task(write())
        else:
            asyncio.get_running_loop().call_later(0.001, lambda: (logger.info("here"), done.set()))
            await done.wait()

    await run(work)
    assert [(record["task"], record["run"]) for record in as_json.records] == [("backup", RUN)]


@pytest.mark.parametrize(
    ("format_", "says"), [("xml", "LOG_FORMAT must be text or json, but is 'xml'"), ("json", "")], ids=str
)
def test_the_format_comes_from_the_environment_and_a_wrong_one_is_named(format_: str, says: str) -> None:
    environment = os.environ | {"LOG_FORMAT": format_, "PYTHONPATH": str(ROOT / "backend")}
    code = "from config import settings; print(settings.LOGGING['handlers']['console']['formatter'])"
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert says in ended.stderr
    assert ended.stdout.strip() == ("" if says else format_)
