"""``--watch``: the same output again and again, in place."""

from argparse import ArgumentParser
from collections.abc import Callable

from django.core.management.base import CommandError

from asyncsched.management.parser import USAGE, positive
from asyncsched.management.screen import Screen

EVERY = 2.0  # seconds


def add_watch(parser: ArgumentParser) -> None:
    """Add ``--watch``; its value comes as ``watch_every``, None if it is not given."""
    parser.add_argument(
        "--watch",
        dest="watch_every",
        nargs="?",
        type=positive,
        const=EVERY,
        metavar="SECONDS",
        help=f"show it anew every {EVERY:g} seconds, or so often, until Ctrl-C",
    )


def watch(screen: Screen, show: Callable[[Screen], object], *, every: float, json: bool = False) -> None:
    """Have *show* write to a screen every so many seconds, until Ctrl-C. Raise CommandError where that cannot be."""
    if json:
        raise CommandError("--watch is for people, --json for programs: say one", returncode=USAGE)
    if not screen.out.isatty():
        raise CommandError("--watch needs a terminal; without one, ask for --json now and then", returncode=USAGE)
    try:
        from asyncsched.management.rich_screen import RichScreen  # noqa: PLC0415 - an extra
        from asyncsched.management.rich_watch import refresh  # noqa: PLC0415 - an extra
    except ImportError:
        raise CommandError("--watch needs rich: pip install 'asyncsched[cli]'", returncode=USAGE) from None
    if not (isinstance(screen, RichScreen) and screen.console.is_interactive):
        raise CommandError("--watch needs a terminal that can write a line anew", returncode=USAGE)
    refresh(screen, show, every=every)
