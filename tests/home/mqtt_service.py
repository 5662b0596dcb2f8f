"""The MQTT service as the supervisor runs it, for tests."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from home import status
from home.tasks import mqtt
from tests.support.deadline import eventually


@asynccontextmanager
async def following():
    """Run the service as the supervisor does; wait until it is connected; cancel it at the end."""
    task = asyncio.create_task(mqtt())
    try:
        await eventually(lambda: task.done() or connected(), what="the connection")
        yield task
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def connected() -> bool:
    return status.snapshot()["mqtt"]["connected"]


async def error_of_connection() -> str:
    """Run the service until the board says why it cannot connect; return that."""
    task = asyncio.create_task(mqtt())
    try:
        return await eventually(lambda: status.snapshot()["mqtt"]["error"])
    finally:
        task.cancel()
        await asyncio.wait([task])


async def publish(broker, *payloads, topic="frigate/events", retain=False):
    await asyncio.to_thread(broker.publish, topic, *payloads, retain=retain)
