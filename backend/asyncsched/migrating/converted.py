"""What a schedule of another scheduler is here, or why it is none."""

from dataclasses import dataclass

from asyncsched.migrating.conditions import Condition
from asyncsched.migrating.found import Difference
from asyncsched.schedules import Schedule


class NoCounterpart(Exception):
    """It has no counterpart here; the sentence says why, and what to do instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A schedule, and what it cannot say. The conditions look at an occurrence in *zone*."""

    schedule: Schedule
    zone: str = "UTC"
    conditions: tuple[Condition, ...] = ()
    differences: tuple[Difference, ...] = ()
