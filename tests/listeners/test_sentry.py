"""Check-ins of Sentry's cron monitors, as a server of Sentry's gets them."""

import gzip
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sentry_sdk

from asyncsched import Cron, DailyAt, Every
from asyncsched.engine.runs import Claim, Occurrence, RunResult, RunStatus
from asyncsched.listeners.sentry import SentryListener
from asyncsched.schedules import Schedule
from tests.engine.conftest import make_task
from tests.support.http_sink import Sink, running_sink

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Told:
    """A listener that knows one task, and what it told Sentry."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def of(self, schedule: Schedule, status: RunStatus = RunStatus.SUCCEEDED, **options: Any) -> list[dict[str, Any]]:
        """Return the check-ins of a run that begins and ends with *status*."""
        name = options.pop("name", "report")
        listener = SentryListener([make_task(schedule=schedule, name=name, **options)])
        claim = Claim(run_id=uuid.uuid4().hex, occurrence=Occurrence(task=name, scheduled_for=NOW))
        result = RunResult(claim=claim, status=status, started_at=NOW, finished_at=NOW, duration=1.5)
        listener.run_started(claim, NOW)
        listener.run_finished(result)
        sentry_sdk.flush(timeout=15)
        return [found for _, _, body in self.sink.requests for found in check_ins(body)]


def check_ins(envelope: bytes) -> Iterator[dict[str, Any]]:
    """Yield the check-ins in *envelope*: a header, then for each item a header and a line of JSON."""
    _, *items = (gzip.decompress(envelope) if envelope.startswith(b"\x1f\x8b") else envelope).splitlines()
    for header, item in zip(items[::2], items[1::2], strict=True):
        if json.loads(header)["type"] == "check_in":
            yield json.loads(item)


@pytest.fixture
def told() -> Iterator[Told]:
    with running_sink() as sink, sentry_sdk.isolation_scope():
        client = sentry_sdk.Client(
            f"http://key@127.0.0.1:{sink.port}/1", default_integrations=False, auto_session_tracking=False
        )
        sentry_sdk.get_isolation_scope().set_client(client)
        with sentry_sdk.new_scope() as scope:
            scope.set_client(client)
            yield Told(sink)
        client.close(timeout=15)


def test_a_run_checks_in_when_it_begins_and_when_it_ends(told: Told) -> None:
    begins, ends = told.of(Every(3600))
    assert (begins["status"], ends["status"]) == ("in_progress", "ok")
    assert begins["check_in_id"] == ends["check_in_id"]
    assert (begins["monitor_slug"], ends["duration"]) == ("report", 1.5)


@pytest.mark.parametrize(
    ("status", "told_as"),
    [
        (RunStatus.SUCCEEDED, "ok"),
        (RunStatus.SKIPPED, "ok"),
        (RunStatus.FAILED, "error"),
        (RunStatus.TIMED_OUT, "error"),
        (RunStatus.CANCELLED, "error"),
    ],
    ids=str,
)
def test_sentry_learns_how_it_ended(told: Told, status: RunStatus, told_as: str) -> None:
    assert told.of(Every(60), status)[-1]["status"] == told_as


@pytest.mark.parametrize(
    ("schedule", "is_told", "zone"),
    [
        (Every(3600), {"type": "interval", "value": 60, "unit": "minute"}, "UTC"),
        (Every(90), {"type": "interval", "value": 2, "unit": "minute"}, "UTC"),
        (DailyAt(3, 30), {"type": "crontab", "value": "30 3 * * *"}, "UTC"),
        (DailyAt(3, tz="Europe/Berlin"), {"type": "crontab", "value": "0 3 * * *"}, "Europe/Berlin"),
        (
            Cron("*/15 8-18 * * MON-FRI", tz="Asia/Tokyo"),
            {"type": "crontab", "value": "*/15 8-18 * * MON-FRI"},
            "Asia/Tokyo",
        ),
    ],
    ids=str,
)
def test_the_monitor_has_the_schedule_of_the_task(told: Told, schedule: Schedule, is_told: Any, zone: str) -> None:
    for check_in in told.of(schedule):
        assert check_in["monitor_config"] == {"schedule": is_told, "timezone": zone}


def test_and_its_timeout_in_whole_minutes(told: Told) -> None:
    assert told.of(Every(3600), timeout=90.0)[0]["monitor_config"]["max_runtime"] == 2


def test_a_name_that_sentry_would_not_take_is_spelled_differently(told: Told) -> None:
    assert told.of(Every(60), name="Shop: nightly.Report")[0]["monitor_slug"] == "shop--nightly-report"


@pytest.mark.parametrize("schedule", [Every(2), Cron("*/10 * * * * *")], ids=str)
def test_what_runs_more_often_than_sentry_can_tell_does_not_check_in(told: Told, schedule: Schedule) -> None:
    assert told.of(schedule) == []
