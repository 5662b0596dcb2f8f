"""What notifications do on schedule."""

from django.conf import settings

from asyncsched import Every, register
from notifications.delivery import send_pending
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
