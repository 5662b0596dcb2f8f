"""When too much is kept in memory, it is summed up: no run and no failure is lost, and counts add up exactly.

What people will miss least goes first. What a claim has put into the table already stays as it is:
each such row waits for its own outcome, and there are few, for claiming needs the database.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self, TypeVar

from asyncsched.storage.records import Record
from asyncsched.storage.skips import Tally

MINUTE = 60.0
HOUR = 3600.0
EVER = float("inf")


class Summable(Protocol):
    """What can be added to its like."""

    def plus(self, other: Self, /) -> Self:
        """Return the sum of both."""


Item = TypeVar("Item", bound=Summable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One way to keep less. A key says with what something may be summed up; None: with nothing."""

    words: str
    of_runs: Callable[[Record], Hashable] | None = None
    of_skips: Callable[[Tally], Hashable] | None = None


def steps() -> Iterable[Step]:
    """Return the ways to keep less, the mildest first. After the last, a task has one row per status and trigger."""
    return (
        Step(words="ordinary runs of each minute", of_runs=_ordinary(MINUTE)),
        Step(words="what did not run in each hour", of_skips=_skips(HOUR)),
        Step(words="failures of each minute that say the same", of_runs=_notable(MINUTE)),
        Step(words="ordinary runs of each hour", of_runs=_ordinary(HOUR)),
        Step(words="failures of each hour that say the same", of_runs=_notable(HOUR)),
        Step(words="all that did not run", of_skips=_skips(EVER)),
        Step(words="all ordinary runs", of_runs=_ordinary(EVER)),
        Step(words="all failures that say the same", of_runs=_notable(EVER)),
        Step(words="all failures", of_runs=_alike),
    )


def fold(items: Iterable[Item], key: Callable[[Item], Hashable], excess: int) -> list[Item]:
    """Return *items*, the oldest with the same *key* summed up, until *excess* fewer are left, if so many can go."""
    groups: dict[Hashable, list[Item]] = {}
    for position, item in enumerate(items):
        group = key(item)
        groups.setdefault((position,) if group is None else (None, group), []).append(item)
    folded: list[Item] = []
    for members in groups.values():
        if excess <= 0 or len(members) == 1:
            folded += members
            continue
        excess -= len(members) - 1
        folded.append(_sum(members))
    return folded


def _sum(items: list[Item]) -> Item:
    total, *rest = items
    for item in rest:
        total = total.plus(item)
    return total


def _ordinary(span: float) -> Callable[[Record], Hashable]:
    return lambda run: (*_likeness(run), _part(run.scheduled_for, span)) if run.is_ordinary else None


def _notable(span: float) -> Callable[[Record], Hashable]:
    return lambda run: None if run.is_ordinary else (*_likeness(run), run.error, _part(run.scheduled_for, span))


def _alike(run: Record) -> Hashable:
    return _likeness(run)


def _likeness(run: Record) -> tuple[Hashable, ...]:
    # What has a row is like nothing else.
    return run.task, run.status, run.trigger, run.run_id if run.has_row else None


def _skips(span: float) -> Callable[[Tally], Hashable]:
    return lambda tally: None if tally.is_sent else (tally.task, tally.reason, _part(tally.first, span))


def _part(moment: datetime, span: float) -> int:
    return int(moment.timestamp() // span) if span < EVER else 0
