"""How far a run is, for somebody who watches it on a terminal."""

import os
from typing import Protocol

from django.core.management.base import OutputWrapper

from asyncsched.engine.context import Run


class Progress(Protocol):
    """Shows one run at a time. ``update`` may be called by any thread."""

    def begin(self, name: str) -> None:
        """Show that the task *name* has begun."""

    def update(self, run: Run) -> None:
        """Show how far *run* says it is."""

    def end(self) -> None:
        """Take it away, whether anything was begun or not."""


class NoProgress:
    """Nobody watches."""

    def begin(self, name: str) -> None:
        """Show nothing."""

    def update(self, run: Run) -> None:
        """Show nothing."""

    def end(self) -> None:
        """Nothing is shown."""


class LineProgress:
    """One line that is written anew: where rich is not installed."""

    def __init__(self, err: OutputWrapper) -> None:
        self._err = err

    def begin(self, name: str) -> None:
        self._write(f"{name} ...")

    def update(self, run: Run) -> None:
        done, total = run.done_of_total
        share = f" of {total} ({done / total:.0%})" if total else ""
        self._write(f"{run.task} ... {done}{share}")

    def end(self) -> None:
        self._write("")

    def _write(self, text: str) -> None:
        self._err.write(f"\r\x1b[K{text}", str, ending="")
        self._err.flush()


def open_progress(err: OutputWrapper, *, colour: bool | None = None) -> Progress:
    """Return what shows progress on *err*: nothing unless it is a terminal. *colour* is as of ``open_screen``."""
    if not err.isatty() or os.environ.get("TERM") == "dumb":
        return NoProgress()
    try:
        from asyncsched.management.rich_progress import BarProgress  # noqa: PLC0415 - an extra
        from asyncsched.management.rich_screen import console_on  # noqa: PLC0415 - an extra
    except ImportError:
        return LineProgress(err)
    return BarProgress(console_on(err, colour=colour))
