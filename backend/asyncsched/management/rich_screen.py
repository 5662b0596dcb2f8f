"""The screen of a terminal, by rich: imported only where that is installed."""

from collections.abc import Callable
from typing import Any, cast

from django.core.management.base import OutputWrapper
from django.core.management.color import Style
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table as RichTable
from rich.text import Text
from rich.theme import Theme

from asyncsched.management.screen import Screen
from asyncsched.management.tables import SPACE, Column, Table, terminal_width
from asyncsched.management.tones import Tone, tone_of

THEME = Theme(
    {Tone.GOOD: "green", Tone.BAD: "bold red", Tone.WARNING: "yellow", Tone.BUSY: "cyan", Tone.QUIET: "dim"},
    inherit=True,
)


class RichScreen(Screen):
    """Coloured tables that fit the terminal. *put* takes what is to be shown; by default the console prints it."""

    is_rich = True

    def __init__(
        self,
        out: OutputWrapper,
        err: OutputWrapper,
        style: Style,
        *,
        console: Console,
        put: Callable[[RenderableType], object] | None = None,
    ) -> None:
        super().__init__(out, err, style)
        self.console = console
        self._put = put or (lambda shown: console.print(shown, soft_wrap=isinstance(shown, Text)))

    def collecting(self, put: Callable[[RenderableType], object]) -> "RichScreen":
        """Return a screen like this that hands everything to *put*."""
        return RichScreen(self.out, self.err, self._style, console=self.console, put=put)

    def say(self, text: str, tone: Tone | None = None) -> None:
        self._put(Text(text, style=tone or ""))

    def table(self, table: Table, *, is_cut: bool = False) -> None:
        fitted, widths = table.fitted(self.console.width, cell_len)
        drawn = RichTable(box=None, pad_edge=False, padding=(0, len(SPACE), 0, 0), header_style="bold")
        for column, width in zip(fitted.columns, widths, strict=True):
            drawn.add_column(
                column.name,
                justify="right" if column.right else "left",
                width=width,
                no_wrap=True,
                overflow="ellipsis",
            )
        for row in fitted.rows:
            drawn.add_row(*map(_cell, fitted.columns, row))
        self._put(drawn)


def console_on(stream: OutputWrapper, *, colour: bool | None) -> Console:
    """Return rich's console on *stream*; *colour* is as of ``open_screen``."""
    return Console(
        file=cast("Any", _Raw(stream)),
        theme=THEME,
        width=None if stream.isatty() else terminal_width(),
        force_terminal=True if colour else None,
        no_color=False if colour else None,
        color_system=None if colour is False else "auto",
        highlight=False,
        markup=False,
        emoji=False,
    )


def _cell(column: Column, text: str) -> Text:
    return Text(text, style=(tone_of(text) if column.is_toned else None) or "")


class _Raw:
    """Django's wrapper of a stream, without the line ends and colours that it adds."""

    def __init__(self, stream: OutputWrapper) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        self._stream.write(text, str, ending="")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
