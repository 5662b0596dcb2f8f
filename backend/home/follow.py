"""Following Frigate: its topics, what is done with their messages, and the two coroutines that do it."""

import asyncio
from datetime import UTC, datetime

from asgiref.sync import ThreadSensitiveContext
from django.conf import settings

from home import status
from home.frigate.events import read_event
from home.frigate.inbox import Inbox
from home.frigate.writer import flush, write_forever
from home.mqtt import connection
from home.mqtt.broker import Broker
from home.mqtt.drops import Drops
from home.wire import Malformed

AVAILABILITIES = {b"online": "online", b"stopped": "stopped", b"offline": "offline"}


async def follow() -> None:
    """Follow Frigate over the broker of MQTT_URL and store what it sees, until cancelled.

    What was received is stored before it returns.

    Raises:
        BrokerError: if MQTT_URL cannot be read.
    """
    broker = Broker.from_url(settings.MQTT_URL)
    drops = Drops()
    inbox = Inbox()
    # A thread of its own for storing: a database that hangs must not hold up others' work.
    async with ThreadSensitiveContext():
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(write_forever(inbox, drops), name="frigate writer")
                group.create_task(connection.follow(broker, routes(inbox, drops), drops), name="mqtt connection")
        finally:
            await flush(inbox, drops)


def routes(inbox: Inbox, drops: Drops) -> connection.Routes:
    """Return the handlers by topic: availability goes to the board, events to *inbox*."""

    def take_event(payload: bytes) -> None:
        detection = read_event(payload)
        status.report_frigate_event(datetime.now(UTC))
        if not inbox.put(detection):
            drops.count("too many waiting to be stored")

    prefix = settings.FRIGATE_TOPIC_PREFIX
    return {f"{prefix}/available": take_availability, f"{prefix}/events": take_event}


def take_availability(payload: bytes) -> None:
    """Put up what Frigate says of itself; raise Malformed for a word it does not say."""
    availability = AVAILABILITIES.get(payload.strip())
    if availability is None:
        raise Malformed("not an availability")
    status.report_frigate_availability(availability)
