"""The same output again and again, in place: by rich."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from django.db import Error as AnyDatabaseError
from django.db import connections
from django.utils import timezone
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from asyncsched.management.rich_screen import RichScreen
from asyncsched.management.tables import one_line
from asyncsched.management.tones import Tone


def refresh(screen: RichScreen, show: Callable[[RichScreen], object], *, every: float) -> None:
    """Have *show* write to a screen every so many seconds, until Ctrl-C or SIGTERM.

    If the database is away, what was shown last stays, and a line above it says since when and why.
    """
    shown: list[RenderableType] = []
    away_since = ""
    stop = threading.Event()  # never set: waiting for it ends at a signal
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), Live(console=screen.console, auto_refresh=False) as live:
        while True:
            now = f"{timezone.localtime():%H:%M:%S}"
            try:
                shown = _collected(screen, show)
                away_since = ""
                head = Text(f"{now}, every {every:g} s; Ctrl-C ends it", style=Tone.QUIET)
            except AnyDatabaseError as error:
                connections.close_all()  # what is broken would stay broken
                away_since = away_since or now
                head = Text(
                    f"{now}: the database has not answered since {away_since}: {one_line(str(error))}", style=Tone.BAD
                )
            with _undisturbed():  # half a table would stay on the terminal
                live.update(Group(head, Text(), *shown), refresh=True)
            stop.wait(min(every, threading.TIMEOUT_MAX))


def _collected(screen: RichScreen, show: Callable[[RichScreen], object]) -> list[RenderableType]:
    shown: list[RenderableType] = []
    show(screen.collecting(shown.append))
    return shown


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Put off the signals that end the program until the block has ended."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
