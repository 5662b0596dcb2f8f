"""The broker of the simulated home, and the devices that live on it: real ones as far as the wire tells."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiomqtt
from amqtt.broker import Broker

from demo.addresses import HOST


@asynccontextmanager
async def running_broker(port: int) -> AsyncIterator[None]:
    """Run a broker on *port* of 127.0.0.1, for anybody on this machine, within the ``async with``.

    Raises:
        BrokerError: of amqtt, if the port is taken.
    """
    broker = _Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    broker._subscriptions = _Subscriptions()  # noqa: SLF001 - see there
    await broker.start()
    try:
        yield
    finally:
        await broker.shutdown()


@asynccontextmanager
async def device(port: int, topic: str, *, online: str, offline: str) -> AsyncIterator[aiomqtt.Client]:
    """Connect a device that says *online* on *topic*, retained, and leaves *offline* there as its will."""
    will = aiomqtt.Will(topic, offline, qos=1, retain=True)
    async with aiomqtt.Client(HOST, port, will=will) as client:
        await client.publish(topic, online, qos=1, retain=True)
        yield client


class _Broker(Broker):
    """Lets go of connections that it cannot read, such as those that ask for MQTT 5.

    amqtt 0.12 leaves them open, and fails noisily when the other end goes.
    """

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        try:
            with suppress(OSError):
                await super().stream_connected(reader, writer, listener_name)
        finally:
            writer.close()


class _Subscriptions(dict[str, list[Any]]):
    """A table that may change while somebody goes through it.

    amqtt 0.12 does so when a client subscribes while another connects, or is sent a message, and
    then drops the other, or sends nothing any more.
    """

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(super().keys()))

    def items(self) -> Any:
        return tuple(super().items())
