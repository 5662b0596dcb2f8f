"""``manage.py notifications …``: what messages go where, and do they arrive?"""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.db.models import Count

from notifications.models import Channel, Notification, Status
from notifications.policies import DEFAULT, Policy
from notifications.transports.apprise_urls import AppriseTarget, load, no_entry
from notifications.transports.base import Message

TEST = Message(title="Test", body="A test message of the alarm backend.")


class Command(BaseCommand):
    """List the addresses, the channels and what waits; send a test message."""

    help = "List the addresses, the channels and what waits; send a test message. An address is told by its place."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="subcommand", required=True)
        commands.add_parser("list", help="the addresses, the channels and how many messages wait")
        test = commands.add_parser("test", help="send a test message to each address and say which took it")
        test.add_argument("--channel", default="", help="only to the addresses with ?tag=CHANNEL")

    def handle(self, *args: Any, subcommand: str, channel: str = "", **options: Any) -> None:
        try:
            self._list() if subcommand == "list" else self._test(channel)
        except DatabaseError as error:
            reason = " ".join(str(error).split())  # PostgreSQL tells it in several lines
            raise CommandError(f"{reason}: is the database there, and has 'manage.py migrate' been run?") from error

    def _test(self, channel: str) -> None:
        """Send to all addresses of *channel* at once, past the outbox; raise CommandError if not all took it."""
        targets, refused = load(settings.NOTIFY_URLS)
        wanted = [target for target in targets if target.takes(channel)]
        lines = [f"{target.name}: {target.attempt(TEST) or 'took it'}" for target in wanted]
        lines += [str(error) for error in refused]
        if lines:
            self.stdout.write("\n".join(lines))
        failed = sum(not line.endswith(": took it") for line in lines)
        if not wanted:
            raise CommandError(no_entry(channel))
        if failed:
            raise CommandError(f"{failed} of {len(lines)} did not take the test message.")

    def _list(self) -> None:
        targets, refused = load(settings.NOTIFY_URLS)
        addresses = [_about_target(target) for target in targets] + [str(error) for error in refused]
        channels = [_about_channel(channel, targets) for channel in Channel.objects.all()]
        counts = dict(Notification.objects.order_by().values_list("status").annotate(Count("pk")))
        outbox = [f"{counts[status]} {status.label}" for status in Status if status in counts]
        self._section("Addresses", addresses or ["none: NOTIFY_URLS is empty"])
        self._section("Channels", [*channels, f"{'all others' if channels else 'all'}: {DEFAULT}"])
        self._section("Outbox", outbox or ["empty"])

    def _section(self, title: str, lines: Sequence[str]) -> None:
        self.stdout.write("\n".join([title, *(f"  {line}" for line in lines)]))


def _about_target(target: AppriseTarget) -> str:
    channels = ", ".join(sorted(target.channels))
    return f"{target.name}: messages {f'of {channels}, and those ' if channels else ''}without a channel"


def _about_channel(channel: Channel, targets: Sequence[AppriseTarget]) -> str:
    reached = any(target.takes(channel.name) for target in targets)
    return f"{channel}: {Policy.of(channel)}{'' if reached else f'; {no_entry(channel.name)}'}"
