"""Tables as values, laid out for so many characters, and moments and lengths of time in words."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils.timezone import localtime

from asyncsched.schedules.words import UNITS

NO_TERMINAL = 160  # characters to assume for a line where the output is piped
SPACE = "  "
LEAST = 20  # characters that are left of the last column, however narrow the terminal is
LEAST_OF_A_NAME = 12


def terminal_width() -> int:
    """Return how many characters a line of the output has room for."""
    return shutil.get_terminal_size((NO_TERMINAL, 24)).columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The head of a column, and what may become of it where there is little room."""

    name: str
    right: bool = False
    """Aligned to the right, and never cut: of a number a part would be another number."""
    spare: int = 0
    """Above 0 it may be left out: the highest goes first."""
    is_name: bool = False
    """It may be cut, after the last column has been."""
    is_toned: bool = False
    """Its cells begin with a status, and get the colour of it where there are colours."""


def columns(*names: str) -> tuple[Column, ...]:
    """Return columns that stay as they are."""
    return tuple(Column(name=name) for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of text, a cell for each column."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]

    def fitted(self, width: int | None, measure: Callable[[str], int] = len) -> tuple["Table", list[int]]:
        """Return what fits into lines of *width* characters, without a limit for None, and how wide each column is.

        Spare columns are left out one by one, then the last column is cut, then names are. No cell has
        what would break a line, or command the terminal. *measure* tells how wide a text is.
        """
        table = replace(self, rows=tuple(tuple(one_line(cell) for cell in row) for row in self.rows))
        widths = _widths(table, measure)
        spare = sorted((column for column in self.columns if column.spare), key=lambda column: -column.spare)
        while width is not None and spare and _total(_with_last_cut(table, widths)) > width:
            table = table.without(spare.pop(0))
            widths = _widths(table, measure)
        excess = 0 if width is None else _total(widths) - width
        for place, least in _cuttable(table):
            cut = min(excess, max(0, widths[place] - least))
            if cut > 0:
                widths[place] -= cut
                excess -= cut
        return table, widths

    def plain(self, width: int | None = None) -> str:
        """Return it in aligned columns, a line each, without trailing blanks."""
        table, widths = self.fitted(width)
        grid = [tuple(column.name for column in table.columns), *table.rows]
        return "\n".join(_line(table.columns, row, widths) for row in grid)

    def without(self, column: Column) -> "Table":
        """Return it without *column*."""
        place = self.columns.index(column)
        return Table(
            columns=self.columns[:place] + self.columns[place + 1 :],
            rows=tuple(row[:place] + row[place + 1 :] for row in self.rows),
        )


def _line(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (
        cell.rjust(width) if column.right else _cut(cell, width).ljust(width)
        for column, cell, width in zip(columns, row, widths, strict=True)
    )
    return SPACE.join(cells).rstrip()


def _widths(table: Table, measure: Callable[[str], int]) -> list[int]:
    cells = zip(*table.rows, strict=True) if table.rows else [()] * len(table.columns)
    return [max(map(measure, [column.name, *texts])) for column, texts in zip(table.columns, cells, strict=True)]


def _with_last_cut(table: Table, widths: Sequence[int]) -> list[int]:
    """Return *widths* with the last column cut as far as it may be."""
    return [*widths[:-1], widths[-1] if table.columns[-1].right else min(widths[-1], LEAST)]


def _cuttable(table: Table) -> list[tuple[int, int]]:
    """Return which columns may be cut, and to what width, in the order in which they are."""
    names = [(place, LEAST_OF_A_NAME) for place, column in enumerate(table.columns) if column.is_name]
    return names if table.columns[-1].right else [(len(table.columns) - 1, LEAST), *names]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(SPACE) * (len(widths) - 1)


def one_line(cell: str) -> str:
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


def from_now(when: datetime | None, now: datetime) -> str:
    """Return how far away *when* is: ``in 4 min``, ``12 s ago``; a dash for None."""
    if when is None:
        return "-"
    return f"in {about(when - now)}" if when > now else f"{about(now - when)} ago"
