"""What was found in another scheduler, as values: nothing of the other package is left in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from asyncsched.errors import AsyncschedError
from asyncsched.migrating.code import Call
from asyncsched.migrating.conditions import Condition
from asyncsched.schedules import Schedule


class NotThere(AsyncschedError):
    """What the command line, or the project, says is there cannot be read; the sentence says what to do."""


class NoCounterpart(Exception):
    """It has no counterpart here; the sentence says why, and what to do instead."""


class Topic(StrEnum):
    """What two schedulers may differ in. The upper ones move the instants at which a function runs."""

    CLOCK_CHANGES = "clock changes"
    FIRST_RUN = "first run"
    INTERVAL = "interval"
    STEPS = "steps"  # how closely a time is kept
    MISSED = "missed"
    AFTER_FAILURE = "after a failure"

    OVERLAP = "overlap"
    SIDE_BY_SIDE = "side by side"
    SEVERAL_PROCESSES = "several processes"
    TIMEOUT = "timeout"
    ORDER = "order"  # priorities and queues
    CONDITION = "condition"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What means one thing there and another here. Tasks that share it have equal values: it is told once."""

    topic: Topic
    there: str
    here: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """What a schedule of another scheduler is here, and what that cannot say.

    The conditions look at an occurrence in *zone*.
    """

    schedule: Schedule
    zone: str = "UTC"
    conditions: tuple[Condition, ...] = ()
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What becomes one task; a definition that would be two tasks here is two of these."""

    name: str
    """The name that the task would like to have; `naming` sees to it that it is valid, and free."""
    source: str
    """Where it is defined, for people: ``shop.cron.ClearCarts``, ``row 7 of background_task``."""
    call: Call
    """What does the work."""
    schedule: Schedule
    is_async: bool = False
    """True if the call is to be awaited."""
    options: Mapping[str, object] = field(default_factory=dict)
    """What ``register`` is to be given beside name and schedule: values, or a `Call` for what is code."""
    conditions: tuple[Condition, ...] = ()
    """What has to be true of an occurrence besides, all of it: a function is written that is asked."""
    zone: str = "UTC"
    """In which *conditions* look at the occurrence."""
    description: str = ""
    """One line for people, the docstring of the new function."""
    differences: tuple[Difference, ...] = ()
    remarks: tuple[str, ...] = ()
    """What a person has to look at or decide, a sentence each: comments above the task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A definition that cannot be imported."""

    name: str
    source: str
    """As of what is found."""
    problem: str
    """Why, and what to do instead: a clause that goes on behind a colon, without a full stop."""


Definition = Found | LeftOut
"""What a source returns, one or more for everything that is defined there."""
