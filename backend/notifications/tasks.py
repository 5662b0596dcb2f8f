"""What notifications do on schedule, and at once."""

import asyncio
import threading

from django.conf import settings
from django.db import connections

from asyncsched import Every, register, service
from notifications.delivery import send_pending
from notifications.outbox import urgent_bell
from notifications.transports.apprise_urls import apprise_transport

BATCH = 20


def configured() -> bool:
    """Return whether there is any address to send to."""
    return bool(settings.NOTIFY_URLS)


# Sync, in a scheduler thread: Apprise sends from threads in any case. Cut off at its timeout, the
# run ends after the message in hand.
@register("notifications_send_pending", schedule=Every(seconds=5), enabled_when=configured, timeout=60)
def notifications_send_pending() -> int:
    """Send the messages in the outbox that are due; return how many were sent."""
    return send_pending(apprise_transport(tuple(settings.NOTIFY_URLS)), limit=BATCH)


@service("urgent notifications", enabled_when=configured)
async def send_urgent_at_once() -> None:
    """Send what is urgent as soon as it is queued in this process; the task above sends what this one cannot.

    In a thread of its own: an alarm waits neither for the next five seconds nor behind other
    messages. When the server drains, the thread ends after the message in hand.
    """
    draining = threading.Event()
    try:
        await asyncio.to_thread(apprise_transport, tuple(settings.NOTIFY_URLS))  # its first use takes a second
        while True:
            await urgent_bell.wait()
            await asyncio.to_thread(_send_urgent, draining)
    finally:
        draining.set()


def _send_urgent(draining: threading.Event) -> None:
    try:
        transport = apprise_transport(tuple(settings.NOTIFY_URLS))
        send_pending(transport, limit=BATCH, urgent_only=True, stopping=draining.is_set)
    finally:
        connections.close_all()
