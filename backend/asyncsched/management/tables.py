"""Plain tables and lengths of time for terminals."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.timezone import localtime


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return *rows* under *header* in aligned columns, without trailing blanks."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (header, *rows))
    return "\n".join(line.rstrip() for line in lines)


def moment(value: datetime | None) -> str:
    """Return *value* in the project's time zone, with the zone's name; a dash for None."""
    return localtime(value).strftime("%Y-%m-%d %H:%M:%S %Z") if value else "-"


def seconds(value: float) -> str:
    """Return a measured length of time in the unit that fits: ``0.4 ms``, ``312.0 ms``, ``12.0 s``."""
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.1f} s"
