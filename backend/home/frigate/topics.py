"""Frigate's topics, and what is done with the messages of each."""

from datetime import UTC, datetime

from django.conf import settings

from home import status
from home.drops import Drops
from home.frigate.events import read_event
from home.frigate.inbox import Inbox, Said
from home.frigate.reviews import read_review
from home.frigate.stats import read_stats
from home.mqtt.connection import Handler
from home.wire import Malformed

AVAILABILITIES = {b"online": "online", b"stopped": "stopped", b"offline": "offline"}


def routes(inbox: Inbox, drops: Drops) -> dict[str, Handler]:
    """Return the handlers by topic: what Frigate says of itself goes to the board, what it sees to *inbox*."""

    def keep(said: Said) -> None:
        if not inbox.put(said):
            drops.count("too many waiting to be stored")

    def take_event(payload: bytes) -> None:
        detection = read_event(payload)
        status.report_frigate_event(detection.updated_at, now=datetime.now(UTC))
        keep(detection)

    prefix = settings.FRIGATE_TOPIC_PREFIX
    return {
        f"{prefix}/available": take_availability,
        f"{prefix}/stats": take_stats,
        f"{prefix}/events": take_event,
        f"{prefix}/reviews": lambda payload: keep(read_review(payload)),
    }


def take_availability(payload: bytes) -> None:
    """Put up what Frigate says of itself; raise Malformed for a word it does not say."""
    availability = AVAILABILITIES.get(payload.strip())
    if availability is None:
        raise Malformed("not an availability")
    status.report_frigate_availability(availability)


def take_stats(payload: bytes) -> None:
    """Put up how its cameras and detectors work; raise Malformed if *payload* does not tell."""
    status.report_frigate_stats(read_stats(payload))
