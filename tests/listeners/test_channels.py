"""Runs as messages through the Channels layer."""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from channels.layers import channel_layers, get_channel_layer

from asyncsched.engine.runs import Claim, Occurrence
from asyncsched.listeners.channels import GROUP, ChannelsListener, warn_of_deaf_layer

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def claim(number: int) -> Claim:
    return Claim(run_id=str(number), occurrence=Occurrence(task="task", scheduled_for=NOW))


async def received(channel: str) -> Any:
    async with asyncio.timeout(5):
        return (await get_channel_layer().receive(channel))["run"]


@pytest.fixture(autouse=True)
def fresh_layer() -> None:
    channel_layers.backends.clear()


async def test_runs_are_sent_to_the_group_in_order() -> None:
    channel = await get_channel_layer().new_channel()
    await get_channel_layer().group_add(GROUP, channel)
    listener = ChannelsListener()
    async with asyncio.TaskGroup() as group:
        pump = group.create_task(listener.pump())
        for number in range(3):
            listener.run_started(claim(number), NOW)
        messages = [await received(channel) for _ in range(3)]
        pump.cancel()
    assert [message["id"] for message in messages] == ["0", "1", "2"]
    assert (messages[0]["type"], messages[0]["status"], messages[0]["task"]) == ("run", "running", "task")


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
