"""Staying connected: connect, subscribe, hand each message to its handler, and again when the connection is lost.

It reconnects by itself rather than leave that to the supervisor: a lost connection is no crash, and
what was received meanwhile waits in memory to be stored.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Never, cast

import aiomqtt
from aiomqtt import ProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from home import status
from home.backoff import delay
from home.drops import Drops
from home.mqtt.broker import Broker
from home.mqtt.inbound import MAX_PAYLOAD, InboundQueue
from home.wire import Malformed

CONNECT_TIMEOUT = 5.0  # seconds, also for subscribing
KEEPALIVE = 15  # seconds; a broker that went silent is noticed within twice that
FIRST_DELAY = 0.5  # seconds
LONGEST_DELAY = 10.0  # seconds: how long a broker that is back may wait for us
REFUSED = 0x80  # answers to a subscription from here on are refusals
MAX_PACKET = 2 * MAX_PAYLOAD  # bytes; a broker that speaks MQTT 5 keeps what is larger to itself
MAX_UNACKNOWLEDGED = 0xFFFF  # messages on their way; without a word from us it would be 20, too few for a burst
UNSUPPORTED_VERSION = (1, 132)  # in the answers of MQTT 3 and 5

# What the library would log of a lost connection reaches us as MqttError, and is logged once, by the board.
_library_logger = logging.getLogger(f"{__name__}.library")
_library_logger.setLevel(logging.CRITICAL)

Handler = Callable[[bytes], None]
Routes = Mapping[str, Handler]


async def follow(broker: Broker, routes: Routes, drops: Drops) -> Never:
    """Keep connected and call the handler of its topic with each payload, until cancelled.

    *routes* maps exact topics to handlers, which must not block. A handler refuses a payload by
    raising Malformed; it is then counted in *drops*. The board says how the connection is.
    """
    failures = 0
    version = ProtocolVersion.V5
    while True:
        try:
            async with _client(broker, version, await _tls_context(broker), drops) as client:
                await _subscribe(client, routes)
                failures = 0
                status.report_mqtt(status.MqttStatus(connected=True))
                async for message in client.messages:
                    _dispatch(message, routes, drops)
        except aiomqtt.MqttError as error:
            if not status.board.mqtt.connected and _may_not_know(version, error):
                version = ProtocolVersion.V311
                continue
            version = ProtocolVersion.V5
            failures += 1
            reason = "the connection was lost" if status.board.mqtt.connected else _in_words(error)
            status.report_mqtt(status.MqttStatus(error=f"MQTT broker at {broker}: {reason}"))
        finally:
            # However it ended, also by cancellation: connected it is no longer.
            status.report_mqtt(replace(status.board.mqtt, connected=False))
        await asyncio.sleep(delay(failures, first=FIRST_DELAY, most=LONGEST_DELAY))


async def _subscribe(client: aiomqtt.Client, routes: Routes) -> None:
    """Subscribe to all topics; raise MqttError if the broker does not let us read one."""
    for topic in routes:
        for answer in await client.subscribe(topic, qos=1):
            if (answer if isinstance(answer, int) else answer.value) >= REFUSED:
                raise aiomqtt.MqttError(f"it does not let us read {topic}")


def _client(
    broker: Broker, version: ProtocolVersion, tls_context: ssl.SSLContext | None, drops: Drops
) -> aiomqtt.Client:
    return aiomqtt.Client(
        broker.host,
        broker.port,
        protocol=version,
        properties=_limits() if version is ProtocolVersion.V5 else None,
        username=broker.username,
        password=broker.password,
        tls_context=tls_context,
        logger=_library_logger,
        timeout=CONNECT_TIMEOUT,
        keepalive=KEEPALIVE,
        # It is only ever called, to make the queue; the type says more than is needed.
        queue_type=cast("type[asyncio.Queue[aiomqtt.Message]]", partial(InboundQueue, drops)),
    )


def _limits() -> Properties:
    """Return what we ask of a broker that speaks MQTT 5."""
    limits = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    limits.MaximumPacketSize = MAX_PACKET
    limits.ReceiveMaximum = MAX_UNACKNOWLEDGED
    return limits


def _may_not_know(version: ProtocolVersion, error: aiomqtt.MqttError) -> bool:
    """Tell whether the broker may not know MQTT 5: it says so, or (some of the old) nothing at all."""
    if version is not ProtocolVersion.V5:
        return False
    if isinstance(error, aiomqtt.MqttCodeError):
        return getattr(error.rc, "value", error.rc) in UNSUPPORTED_VERSION
    return isinstance(error.__context__, TimeoutError)


async def _tls_context(broker: Broker) -> ssl.SSLContext | None:
    """Return a context that verifies certificate and host name; None without TLS.

    A certificate authority of one's own is named by the environment variable SSL_CERT_FILE.
    """
    # In a thread, because it reads the system's certificates from the disk.
    return await asyncio.to_thread(ssl.create_default_context) if broker.tls else None


def _in_words(error: aiomqtt.MqttError) -> str:
    """Return why there is no connection. The library keeps the error it had itself only as the context of its own."""
    match error.__context__:
        case ssl.SSLCertVerificationError() as found:
            return f"its certificate is not trusted: {found.verify_message}"
        case ssl.SSLError() as found:
            return f"TLS failed: {found.reason}"
        case OSError(strerror=str(text)):
            return text
        case _:
            return str(error)


def _dispatch(message: aiomqtt.Message, routes: Routes, drops: Drops) -> None:
    handler = routes.get(message.topic.value)
    if handler is None or not isinstance(message.payload, bytes):
        return
    try:
        handler(message.payload)
    except Malformed as error:
        drops.count(str(error))
