"""Staying connected: connect, subscribe, hand each message to its handler, and again when the connection is lost.

It reconnects by itself rather than leave that to the supervisor: a lost connection is no crash, and
what was received meanwhile waits in memory to be stored.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from functools import partial
from typing import cast

import aiomqtt

from home import status
from home.mqtt.backoff import delay
from home.mqtt.broker import Broker
from home.mqtt.drops import Drops
from home.mqtt.inbound import InboundQueue
from home.wire import Malformed

CONNECT_TIMEOUT = 10.0  # seconds, also for subscribing
KEEPALIVE = 15  # seconds; a broker that went silent is noticed within twice that
FIRST_DELAY = 0.5  # seconds
LONGEST_DELAY = 10.0  # seconds: how long a broker that is back may wait for us

Handler = Callable[[bytes], None]
Routes = Mapping[str, Handler]


async def follow(broker: Broker, routes: Routes, drops: Drops) -> None:
    """Keep connected and call the handler of its topic with each payload, until cancelled.

    *routes* maps exact topics to handlers, which must not block. A handler refuses a payload by
    raising Malformed; it is then counted in *drops*. The board says how the connection is.
    """
    failures = 0
    while True:
        try:
            async with _client(broker, await _tls_context(broker), drops) as client:
                for topic in routes:
                    await client.subscribe(topic, qos=1)
                failures = 0
                status.report_mqtt(status.MqttStatus(connected=True))
                async for message in client.messages:
                    _dispatch(message, routes, drops)
        except aiomqtt.MqttError as error:
            failures += 1
            status.report_mqtt(status.MqttStatus(error=_reason(broker, error)))
        finally:
            status.report_mqtt(status.MqttStatus(error=status.board.mqtt.error))
        await asyncio.sleep(delay(failures, first=FIRST_DELAY, most=LONGEST_DELAY))


def _client(broker: Broker, tls_context: ssl.SSLContext | None, drops: Drops) -> aiomqtt.Client:
    return aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password,
        tls_context=tls_context,
        timeout=CONNECT_TIMEOUT,
        keepalive=KEEPALIVE,
        # It is only ever called, to make the queue; the type says more than is needed.
        queue_type=cast("type[asyncio.Queue[aiomqtt.Message]]", partial(InboundQueue, drops)),
    )


async def _tls_context(broker: Broker) -> ssl.SSLContext | None:
    """Return a context that verifies certificate and host name; None without TLS.

    A certificate authority of one's own is named by the environment variable SSL_CERT_FILE.
    """
    # In a thread, because it reads the system's certificates from the disk.
    return await asyncio.to_thread(ssl.create_default_context) if broker.tls else None


def _dispatch(message: aiomqtt.Message, routes: Routes, drops: Drops) -> None:
    handler = routes.get(message.topic.value)
    if handler is None or not isinstance(message.payload, bytes):
        return
    try:
        handler(message.payload)
    except Malformed as error:
        drops.count(str(error))


def _reason(broker: Broker, error: aiomqtt.MqttError) -> str:
    cause = error.__cause__ or error
    return f"no connection to the MQTT broker at {broker}: {cause}"
