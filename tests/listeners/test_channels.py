"""Runs as messages through the Channels layer."""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from channels.layers import channel_layers, get_channel_layer

from asyncsched.engine.context import Run
from asyncsched.engine.runs import Claim, Occurrence, RunResult, RunStatus
from asyncsched.listeners.channels import GROUP, ChannelsListener, warn_of_deaf_layer

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def claim(number: int) -> Claim:
    return Claim(run_id=str(number), occurrence=Occurrence(task="task", scheduled_for=NOW))


async def received(channel: str) -> Any:
    async with asyncio.timeout(5):
        return (await get_channel_layer().receive(channel))["run"]


async def sent(listener: ChannelsListener, count: int) -> list[Any]:
    """Return the first *count* messages that *listener* sends to the group."""
    channel = await get_channel_layer().new_channel()
    await get_channel_layer().group_add(GROUP, channel)
    async with asyncio.TaskGroup() as group:
        pump = group.create_task(listener.pump())
        messages = [await received(channel) for _ in range(count)]
        pump.cancel()
    return messages


@pytest.fixture(autouse=True)
def fresh_layer() -> None:
    channel_layers.backends.clear()


async def test_runs_are_sent_to_the_group_in_order() -> None:
    listener = ChannelsListener("host:1:boot")
    for number in range(3):
        listener.run_started(claim(number), NOW)
    assert [message["id"] for message in await sent(listener, 3)] == ["0", "1", "2"]


async def test_a_run_is_sent_with_all_that_a_page_shows_of_it() -> None:
    listener = ChannelsListener("host:1:boot")
    listener.run_started(claim(1), NOW)
    listener.run_finished(
        RunResult(
            claim=claim(1),
            status=RunStatus.FAILED,
            started_at=NOW,
            finished_at=NOW,
            duration=1.5,
            lateness=0.25,
            error="OSError: no",
            failures=2,
        )
    )
    started, finished = await sent(listener, 2)
    run = {
        "type": "run",
        "id": "1",
        "task": "task",
        "scheduled_for": NOW.isoformat(),
        "trigger": "schedule",
        "attempt": 1,
        "replica": "host:1:boot",
        "started_at": NOW.isoformat(),
    }
    assert started == run | {"status": "running"}
    assert finished == run | {
        "status": "failed",
        "finished_at": NOW.isoformat(),
        "duration_s": 1.5,
        "lateness_s": 0.25,
        "error": "OSError: no",
        "consecutive_failures": 2,
    }


async def test_progress_is_sent_as_it_was_when_it_was_told() -> None:
    listener, run = ChannelsListener(), Run(claim(1))
    for done, total in ((3, 7), (4, None)):
        run.progress(done, total)
        listener.run_progressed(run)
    same = {"type": "progress", "id": "1", "task": "task"}
    assert await sent(listener, 2) == [same | {"done": 3, "total": 7}, same | {"done": 4, "total": None}]


async def test_that_people_have_changed_something_is_sent_as_a_word_to_ask_anew() -> None:
    listener = ChannelsListener()
    listener.requests_changed()
    assert await sent(listener, 1) == [{"type": "resync"}]


async def test_a_layer_that_is_away_is_said_once(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    backend = "channels_redis.pubsub.RedisPubSubChannelLayer"
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend, "CONFIG": {"hosts": ["redis://127.0.0.1:1"]}}}
    channel_layers.backends.clear()
    caplog.set_level(logging.INFO)
    listener = ChannelsListener()
    async with asyncio.TaskGroup() as group:
        pump = group.create_task(listener.pump())
        for number in range(3):
            listener.run_started(claim(number), NOW)
        async with asyncio.timeout(10):
            while listener._waiting:  # noqa: ASYNC110 - dropping a message is no event
                await asyncio.sleep(0.01)
        pump.cancel()
    assert [record.action for record in caplog.records if hasattr(record, "action")] == ["layer_away"]


def test_a_layer_in_memory_does_not_reach_other_processes_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    warn_of_deaf_layer()
    (record,) = caplog.records
    assert (record.levelname, record.action) == ("WARNING", "deaf_layer")
    assert "get none of its pushes" in record.message


def test_of_a_layer_that_reaches_all_there_is_nothing_to_say(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    layer = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": ["redis://127.0.0.1:1"]}}
    settings.CHANNEL_LAYERS = {"default": layer}
    channel_layers.backends.clear()
    warn_of_deaf_layer()
    assert not caplog.records
