"""The table of what means something else here than there, laid out for a width. Pure."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Protocol

from asyncsched.migrating.found import Difference, Topic

LEAST, MOST = 60, 120  # characters of a line
NAMED = 3  # tasks that a row names; of more it says how many
GAP = "  "


class Differing(Protocol):
    """What goes from one scheduler to the other."""

    @property
    def name(self) -> str: ...
    @property
    def differences(self) -> tuple[Difference, ...]: ...


def shared(found: Iterable[Differing]) -> list[tuple[Difference, tuple[str, ...]]]:
    """Return each difference with the names of the tasks that it concerns, in the order of the topics."""
    names: dict[Difference, list[str]] = {}
    for one in found:
        for difference in one.differences:
            names.setdefault(difference, []).append(one.name)
    order = list(Topic)
    return sorted(
        ((difference, tuple(of)) for difference, of in names.items()), key=lambda pair: order.index(pair[0].topic)
    )


def contrasted(found: Sequence[Differing], *, scheduler: str, width: int) -> str:
    """Return the table as text, empty if nothing differs. A difference of some tasks only names them."""
    rows = [(_what(difference, names, [one.name for one in found]), difference) for difference, names in shared(found)]
    if not rows:
        return ""
    room = max(LEAST, min(width, MOST)) - 2 * len(GAP)
    sides = (room * 3 // 8,) * 2
    widths = (room - sum(sides), *sides)
    lines = [_row((["WHAT"], [scheduler.upper()], ["ASYNCSCHED"]), widths)]
    lines += [_row((what, [difference.there], [difference.here]), widths) for what, difference in rows]
    return "\n".join(lines)


def _what(difference: Difference, names: Sequence[str], every: Sequence[str]) -> list[str]:
    """Return the topic and, unless it concerns all tasks, which it does, or which it does not if these are fewer."""
    if len(names) == len(every):
        return [difference.topic]
    others = [name for name in every if name not in names]
    head, listed = (", all but:", others) if len(others) < len(names) else (":", names)
    more = [f"and {len(listed) - NAMED} more"] if len(listed) > NAMED + 1 else []
    return [f"{difference.topic}{head}", *(f" {name}" for name in (listed[:NAMED] if more else listed)), *more]


def _row(cells: tuple[list[str], list[str], list[str]], widths: Sequence[int]) -> str:
    """Return a row whose cells, which are paragraphs, are as many lines high as the highest."""
    columns = [
        [line for text in cell for line in textwrap.wrap(text, width, subsequent_indent="  ")]
        for cell, width in zip(cells, widths, strict=True)
    ]
    height = max(map(len, columns))
    padded = [
        [line.ljust(width) for line in column] + [" " * width] * (height - len(column))
        for column, width in zip(columns, widths, strict=True)
    ]
    return "\n".join(GAP.join(line).rstrip() for line in zip(*padded, strict=True))
