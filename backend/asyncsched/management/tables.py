"""Plain tables and lengths of time for terminals."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.timezone import localtime

SPACE = "  "
LEAST = 24  # characters that are left of the last column, however narrow the terminal is


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, width: int | None = None) -> str:
    """Return *rows* under *header* in aligned columns, a line each, without trailing blanks.

    With *width* the last column is cut so that lines have at most that many characters.
    """
    rows = [[_one_line(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    if width is not None:
        widths[-1] = min(widths[-1], max(LEAST, width - sum(widths[:-1]) - len(SPACE) * (len(header) - 1)))
    lines = (
        SPACE.join(_cut(cell, width).ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


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
