"""A process of its own that empties the outbox, once it is told to go, and prints how many it sent."""

import sys
from itertools import takewhile

import django

django.setup()

from django.conf import settings  # noqa: E402

from notifications.tasks import notifications_send_pending  # noqa: E402
from notifications.transports.apprise_urls import apprise_transport  # noqa: E402


def main():
    apprise_transport(tuple(settings.NOTIFY_URLS))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sent = sum(takewhile(bool, iter(notifications_send_pending, None)))
    sys.stdout.write(f"{sent}\n")


if __name__ == "__main__":
    main()
