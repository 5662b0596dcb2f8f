"""Runs and skips as tables."""

from collections.abc import Sequence
from datetime import datetime

from asyncsched.engine.runs import RunStatus, SkipReason, Trigger
from asyncsched.management.tables import Column, Table, about, columns, moment, seconds
from asyncsched.storage import history
from asyncsched.storage.history import PastRun, PastSkip

NOTABLE_LATENESS = 1.0  # seconds
SHORT_ID = 8  # characters of a run's id that a terminal shows; ``show`` takes them

_TRIGGERS = {Trigger.CATCH_UP: "caught up", Trigger.MANUAL: "by hand"}
_ENDED = (Column(name="TASK", is_name=True), Column(name="STATUS", is_toned=True))
_OF_RUNS = (Column(name="STARTED"), *_ENDED, *columns("TOOK", "DETAILS"))
_OF_RUNS_NOW = (
    Column(name="STARTED", spare=2),
    Column(name="AGO"),
    Column(name="RUN", spare=3),
    *_ENDED,
    Column(name="TOOK", spare=1),
    Column(name="DETAILS"),
)
_OF_SKIPS = columns("LAST", "FIRST", "TASK", "COUNT", "WHY")


def of_runs(runs: Sequence[PastRun]) -> Table:
    """Return a table of *runs*."""
    return Table(columns=_OF_RUNS, rows=tuple((moment(run.started_at), *_outcome(run)) for run in runs))


def of_runs_now(runs: Sequence[PastRun], now: datetime) -> Table:
    """Return a table of *runs* that also says how long before *now* they were, and what to call each."""
    rows = (
        (moment(run.started_at), about(now - run.started_at), run.run_id[:SHORT_ID], *_outcome(run)) for run in runs
    )
    return Table(columns=_OF_RUNS_NOW, rows=tuple(rows))


def of_skips(skips: Sequence[PastSkip]) -> Table:
    """Return a table of *skips*."""
    return Table(columns=_OF_SKIPS, rows=tuple(_skip_row(skip) for skip in skips))


def details(run: PastRun) -> str:
    """Say what came of *run*, and what was out of the ordinary."""
    details = [run.error or run.result, *out_of_the_ordinary(run)]
    return "; ".join(detail for detail in details if detail)


def out_of_the_ordinary(run: PastRun) -> list[str]:
    """Say why it took place or did not, if not by its schedule, and what went wrong besides."""
    said = []
    if run.status == RunStatus.SKIPPED:
        said.append(history.in_words(SkipReason.PREDICATE))
    if run.stall_seconds is not None:
        said.append(f"blocked the event loop for {seconds(run.stall_seconds)} at {run.stall_where}")
    if run.trigger in _TRIGGERS:
        said.append(_TRIGGERS[Trigger(run.trigger)])
    if run.attempt > 1:
        said.append(f"attempt {run.attempt}")
    if run.lateness is not None and run.lateness >= NOTABLE_LATENESS:
        said.append(f"{'up to ' if run.count > 1 else ''}{seconds(run.lateness)} late")
    return said


def took(run: PastRun) -> str:
    """Return how long *run* took, of several the longest; a dash if it did nothing, or goes on."""
    if run.duration is None or run.status == RunStatus.SKIPPED:
        return "-"
    return f"{'≤ ' if run.count > 1 else ''}{seconds(run.duration)}"


def status(run: PastRun) -> str:
    """Return its status, with the number of runs if there are several."""
    return run.status if run.count == 1 else f"{run.status} ×{run.count}"


def _outcome(run: PastRun) -> tuple[str, ...]:
    return run.task, status(run), took(run), details(run)


def _skip_row(skip: PastSkip) -> tuple[str, ...]:
    first = moment(skip.first) if skip.first != skip.last else ""
    return moment(skip.last), first, skip.task, str(skip.count), skip.why
