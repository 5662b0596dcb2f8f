"""Plain tables and lengths of time for terminals."""

import shutil
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.utils.timezone import localtime

from asyncsched.schedules.words import UNITS

_NOT_A_TERMINAL = (160, 24)  # columns and lines to assume where the output is piped
SPACE = "  "
LEAST = 24  # characters that are left of the last column, however narrow the terminal is


def terminal_width() -> int:
    """Return how many characters a line of the output has room for."""
    return shutil.get_terminal_size(_NOT_A_TERMINAL).columns


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    width: int | None = None,
    right: Collection[str] = (),
    spare: Sequence[str] = (),
) -> str:
    """Return *rows* under *header* in aligned columns, a line each, without trailing blanks.

    With *width* lines have at most that many characters: where they would not, the columns headed
    *spare* are left out, the first of them first, and then the last column is cut. The columns
    headed *right* are aligned to the right.
    """
    grid = [[_one_line(cell) for cell in row] for row in (header, *rows)]
    columns = list(zip(*grid, strict=True))
    for name in spare:
        if width is not None and _width(columns) > width:
            columns = [column for column in columns if column[0] != name]
    widths = [max(len(cell) for cell in column) for column in columns]
    if width is not None and columns[-1][0] not in right:  # of a number a part would be another number
        widths[-1] = min(widths[-1], max(LEAST, width - _width(columns[:-1]) - len(SPACE)))
    aligned = [
        [_aligned(cell, cells, right=column[0] in right) for cell in column]
        for column, cells in zip(columns, widths, strict=True)
    ]
    return "\n".join(SPACE.join(row).rstrip() for row in zip(*aligned, strict=True))


def _width(columns: Sequence[Sequence[str]]) -> int:
    """Return the length of the longest line of a table of *columns*."""
    return sum(max(len(cell) for cell in column) for column in columns) + len(SPACE) * (len(columns) - 1)


def _aligned(cell: str, width: int, *, right: bool) -> str:
    return cell.rjust(width) if right else _cut(cell, width).ljust(width)


def _one_line(cell: str) -> str:
    """Return *cell* without what would break the line, or command the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in cell)


def _cut(cell: str, width: int) -> str:
    return cell if len(cell) <= width else cell[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"


def moment(value: datetime | None) -> str:
    """Return *value* in the project's time zone, with the zone's name; a dash for None."""
    return localtime(value).strftime("%Y-%m-%d %H:%M:%S %Z") if value else "-"


def seconds(value: float) -> str:
    """Return a measured length of time in the unit that fits: ``0.4 ms``, ``312.0 ms``, ``12.0 s``."""
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.1f} s"


def about(length: timedelta) -> str:
    """Return a length of time in one unit, rounded down: ``now`` reads ``0 s``, ``90 s`` reads ``1 min``."""
    whole = max(0, int(length.total_seconds()))
    size, unit = next(((size, unit) for size, unit in UNITS if whole >= size), (1, "s"))
    return f"{whole // size} {unit}"
