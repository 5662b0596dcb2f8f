"""Summing up what has something in common, so that fewer are left and every count still adds up."""

from collections.abc import Callable, Hashable, Iterable
from functools import reduce
from typing import Protocol, Self, TypeVar


class Summable(Protocol):
    """What can be added to its like."""

    def plus(self, other: Self, /) -> Self:
        """Return the sum of both."""


Item = TypeVar("Item", bound=Summable)


def fold(items: Iterable[Item], key: Callable[[Item], Hashable], excess: int) -> list[Item]:
    """Return *items*, the oldest with the same *key* summed up, until *excess* fewer are left, if so many can go.

    An item whose key is None stays as it is.
    """
    groups: dict[Hashable, list[Item]] = {}
    for position, item in enumerate(items):
        group = key(item)
        groups.setdefault((position,) if group is None else (None, group), []).append(item)
    folded: list[Item] = []
    for members in groups.values():
        if excess > 0 and len(members) > 1:
            excess -= len(members) - 1
            folded.append(reduce(lambda total, item: total.plus(item), members))
        else:
            folded += members
    return folded
