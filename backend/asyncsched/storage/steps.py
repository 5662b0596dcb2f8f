"""What is summed up, step by step, while more waits for the database than memory should hold.

What people will miss least goes first; no run and no failure is lost.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime

from asyncsched.storage.records import Record
from asyncsched.storage.skips import Tally

MINUTE = 60.0
HOUR = 3600.0
EVER = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One way to keep less. A key says with what something may be summed up; None: with nothing."""

    words: str
    of_runs: Callable[[Record], Hashable] | None = None
    of_skips: Callable[[Tally], Hashable] | None = None


def _ordinary(span: float) -> Callable[[Record], Hashable]:
    return lambda run: (*_likeness(run), _part(run.scheduled_for, span)) if run.is_ordinary else None


def _notable(span: float) -> Callable[[Record], Hashable]:
    return lambda run: None if run.is_ordinary else (*_likeness(run), run.error, _part(run.scheduled_for, span))


def _likeness(run: Record) -> tuple[Hashable, ...]:
    return run.task, run.status, run.trigger


def _skips(span: float) -> Callable[[Tally], Hashable]:
    return lambda tally: None if tally.is_sent else (tally.task, tally.reason, _part(tally.first, span))


def _part(moment: datetime, span: float) -> int:
    return int(moment.timestamp() // span) if span < EVER else 0


# After the last, a task has one row per status and trigger, and one per reason.
STEPS = (
    Step(words="ordinary runs of each minute", of_runs=_ordinary(MINUTE)),
    Step(words="what did not run in each hour", of_skips=_skips(HOUR)),
    Step(words="failures of each minute that say the same", of_runs=_notable(MINUTE)),
    Step(words="ordinary runs of each hour", of_runs=_ordinary(HOUR)),
    Step(words="failures of each hour that say the same", of_runs=_notable(HOUR)),
    Step(words="all that did not run", of_skips=_skips(EVER)),
    Step(words="all ordinary runs", of_runs=_ordinary(EVER)),
    Step(words="all failures that say the same", of_runs=_notable(EVER)),
    Step(words="all failures", of_runs=_likeness),
)
