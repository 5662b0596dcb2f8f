"""History does not grow for ever: what is too old goes, and what a task has too much of.

Rows go in short transactions. After each the database is left alone for as long as it took: SQLite
has one writer at a time, and one that waits finds it free every other time it asks. Every question
is answered by an index, within BATCH rows or within the rows that a task may have.
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from asyncsched.engine.runs import RunStatus
from asyncsched.models import HandOff, LoopStall, Replica, TaskRun, TaskSkip, Term
from asyncsched.storage.database_time import database_now

BATCH = 500
FIRST_BATCH = 100  # what has long not been touched must first be read from the disk
SMALLEST_BATCH = 20
TARGET = 0.05
"""Seconds: a transaction that took longer makes the next ones smaller."""
BREATH = 0.005
"""Seconds: the shortest rest between two transactions."""
DEAD_FOR = timedelta(days=1)
"""A process that died is shown for so long."""
HANDED_OFF_FOR = timedelta(days=7)
"""For so long it is known which worker had a run."""

Rows = QuerySet[Any]


def prune(*, before: datetime | None, runs: int, go_on: Callable[[int], bool]) -> int:
    """Delete what history need not keep; return how many rows went.

    Args:
        before: what started, or was due, before then is too old; None: nothing is.
        runs: so many runs a task may have, and so many stalls all may have; 0: any number.
        go_on: told after each batch how many rows have gone so far; False ends it there.
    """
    deleted, pace = 0, _Pace()
    for rows in _outdated(before, runs):
        while count := pace.delete(rows):
            deleted += count
            if not go_on(deleted):
                return deleted
    return deleted


def _outdated(before: datetime | None, runs: int) -> Iterator[Rows]:
    """Yield what is to go, oldest first, in an order that an index has. Each is asked for when the last has gone."""
    if before is not None:
        yield _finished().filter(started_at__lt=before).order_by("started_at")
        yield TaskSkip.objects.filter(last_scheduled_for__lt=before).order_by("last_scheduled_for")
        yield LoopStall.objects.filter(began_at__lt=before).order_by("began_at")
        yield _terms_until(before)
    if runs:
        for task in _tasks():
            yield from _surplus(task, runs)
        if limit := _start_of(LoopStall.objects.all(), after=runs, by="began_at"):
            yield LoopStall.objects.filter(began_at__lte=limit).order_by("began_at")
    outcomes = HandOff.objects.filter(offered_at__lt=timezone.now() - HANDED_OFF_FOR)
    yield outcomes.exclude(run_id__in=_running().values("run_id")).order_by("offered_at")
    yield Replica.objects.filter(expires_at__lt=database_now() - DEAD_FOR).order_by("replica")


def _surplus(task: str, most: int) -> Iterator[Rows]:
    """Yield what *task* has too much of: successes first, as long as they are more than half of what it may have."""
    rows = TaskRun.objects.filter(task=task)
    if _start_of(rows, after=most) is None:
        return
    others = sum(_count(rows.filter(status=status), most // 2) for status in RunStatus if status != RunStatus.SUCCEEDED)
    successes = rows.filter(status=RunStatus.SUCCEEDED)
    if limit := _start_of(successes, after=most - min(others, most // 2)):
        yield successes.filter(started_at__lte=limit).order_by("started_at")
    if limit := _start_of(rows, after=most):
        yield _finished().filter(task=task, started_at__lte=limit).order_by("started_at")


def _start_of(rows: Rows, *, after: int, by: str = "started_at") -> datetime | None:
    """Return when the latest row started, which the field *by* tells, that comes after so many; None if none does."""
    newest_first = rows.order_by(f"-{by}").values_list(by, flat=True)
    return next(iter(newest_first[after : after + 1]), None)


def _count(rows: Rows, most: int) -> int:
    return rows.order_by("-started_at").values("pk")[:most].count()


def _tasks() -> Iterator[str]:
    """Yield the names of all tasks that have runs, registered or not, by jumping from one to the next."""
    in_order = TaskRun.objects.order_by("task", "-started_at").values_list("task", flat=True)
    task = next(iter(in_order[:1]), None)
    while task is not None:
        yield task
        task = next(iter(in_order.filter(task__gt=task)[:1]), None)


def _terms_until(before: datetime) -> Rows:
    """Return the terms that others had followed by then: the last that began before may have gone on."""
    last = Term.objects.filter(since__lt=before).order_by("-term").first()
    return Term.objects.filter(term__lt=last.term).order_by("term") if last else Term.objects.none()


def _finished() -> Rows:
    return TaskRun.objects.exclude(status=RunStatus.RUNNING)


def _running() -> Rows:
    return TaskRun.objects.filter(status=RunStatus.RUNNING)


class _Pace:
    """How many rows to take next, and for how long to rest after them."""

    def __init__(self) -> None:
        self._size = FIRST_BATCH

    def delete(self, rows: Rows) -> int:
        """Delete the first of *rows* and rest; return how many those were."""
        keys = list(rows.values_list("pk", flat=True)[: self._size])
        if not keys:
            return 0
        started = time.monotonic()
        deleted: int
        deleted, _ = rows.model._default_manager.filter(pk__in=keys).delete()
        took = time.monotonic() - started
        self._size = max(SMALLEST_BATCH, self._size // 2) if took > TARGET else min(BATCH, self._size * 2)
        time.sleep(max(BREATH, took))
        return deleted
