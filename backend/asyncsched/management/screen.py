"""Where the output goes: text for pipes, and tables by rich where a terminal shows them."""

import codecs
import json
import os
from collections.abc import Callable
from typing import Any

from django.core.management.base import OutputWrapper
from django.core.management.color import Style

from asyncsched.management.tables import Table, terminal_width
from asyncsched.management.tones import Tone

_INSTEAD = {"…": "~", "×": "x", "≤": "<", "–": "-", "—": "-"}
ENCODABLE = "asyncsched.encodable"


class Screen:
    """Plain text on *out*, remarks beside it on *err*: for pipes, and where rich is not installed."""

    is_rich = False

    def __init__(self, out: OutputWrapper, err: OutputWrapper, style: Style) -> None:
        self.out = out
        self.err = err
        self._style = style

    def say(self, text: str, tone: Tone | None = None) -> None:
        """Write a sentence, or several lines."""
        styles: dict[Tone | None, Callable[[str], str]] = {
            Tone.GOOD: self._style.SUCCESS,
            Tone.BAD: self._style.ERROR,
            Tone.WARNING: self._style.WARNING,
        }
        self.out.write(text, styles.get(tone, str))

    def table(self, table: Table, *, is_cut: bool = False) -> None:
        """Write *table*; *is_cut* cuts its lines to the width of the terminal, which others may exceed."""
        self.out.write(table.plain(terminal_width() if is_cut else None))

    def json(self, value: Any) -> None:
        """Write what programs read, and nothing else."""
        self.out.write(json.dumps(value, indent=2, ensure_ascii=not _is_unicode(self.out)))

    def flush(self) -> None:
        """Hand over what has been written; raises BrokenPipeError if nobody reads it any more."""
        self.out.flush()

    def remark(self, text: str) -> None:
        """Write a sentence that is not part of the result."""
        self.err.write(text, str)


def open_screen(out: OutputWrapper, err: OutputWrapper, style: Style, *, colour: bool | None = None) -> Screen:
    """Return a screen for *out*: by rich if it is a terminal, or *colour* is asked for, and rich is installed.

    *colour* is what the command line says of colours, None if it says nothing: then the terminal and
    the environment decide (``NO_COLOR``, ``FORCE_COLOR``, ``TERM``).
    """
    for stream in (out, err):
        _let_write_anything(stream)
    if out.isatty() or colour or os.environ.get("FORCE_COLOR"):
        try:
            from asyncsched.management.rich_screen import RichScreen, console_on  # noqa: PLC0415 - an extra
        except ImportError:
            return Screen(out, err, style)
        return RichScreen(out, err, style, console=console_on(out, colour=colour))
    return Screen(out, err, style)


def _is_unicode(stream: OutputWrapper) -> bool:
    encoding = getattr(stream, "encoding", None)
    return encoding is None or codecs.lookup(encoding).name.startswith("utf")


def _let_write_anything(stream: OutputWrapper) -> None:
    """Let a stream that knows no Unicode write something in place of what it cannot, instead of failing."""
    if not _is_unicode(stream) and hasattr(stream, "reconfigure"):
        codecs.register_error(ENCODABLE, _something_else)
        stream.reconfigure(errors=ENCODABLE)


def _something_else(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_INSTEAD.get(letter, "?") for letter in error.object[error.start : error.end]), error.end
