"""The table of what means something else here than there, laid out for a width. Pure."""

import textwrap
from collections.abc import Iterable, Sequence

from asyncsched.migrating.found import Difference, Found, Topic

LEAST, MOST = 60, 120  # characters of a line
FIRST = 22  # of the column with the topic, and the tasks that it concerns
GAP = "  "


def shared(found: Iterable[Found]) -> list[tuple[Difference, tuple[str, ...]]]:
    """Return each difference with the names of the tasks that it concerns, in the order of the topics."""
    names: dict[Difference, list[str]] = {}
    for one in found:
        for difference in one.differences:
            names.setdefault(difference, []).append(one.name)
    order = list(Topic)
    return sorted(
        ((difference, tuple(of)) for difference, of in names.items()), key=lambda pair: order.index(pair[0].topic)
    )


def contrasted(found: Sequence[Found], *, scheduler: str, width: int) -> str:
    """Return the table as text, empty if nothing differs. A difference of some tasks only names them."""
    rows = [
        (f"{difference.topic}" if len(names) == len(found) else f"{difference.topic}: {', '.join(names)}", difference)
        for difference, names in shared(found)
    ]
    if not rows:
        return ""
    side = (max(LEAST, min(width, MOST)) - FIRST - 2 * len(GAP)) // 2
    lines = [_row(("WHAT", scheduler.upper(), "ASYNCSCHED"), side)]
    lines += [_row((what, difference.there, difference.here), side) for what, difference in rows]
    return "\n".join(lines)


def _row(cells: tuple[str, str, str], side: int) -> str:
    """Return a row whose cells are as many lines high as the highest."""
    widths = (FIRST, side, side)
    columns = [textwrap.wrap(cell, width, subsequent_indent=" ") for cell, width in zip(cells, widths, strict=True)]
    height = max(map(len, columns))
    padded = [
        [line.ljust(width) for line in column] + [" " * width] * (height - len(column))
        for column, width in zip(columns, widths, strict=True)
    ]
    return "\n".join(GAP.join(line).rstrip() for line in zip(*padded, strict=True))
