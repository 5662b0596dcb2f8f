"""A task's runs page by page, newest first. The millionth page costs what the first does."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from django.db.models import Q

from asyncsched.models import TaskRun
from asyncsched.storage.history import LONG_TEXTS, PastRun, past_run

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A place among the runs of a task: behind the run that began at *started_at* and has the key *pk*."""

    started_at: datetime
    pk: int

    @property
    def text(self) -> str:
        """The place as addresses have it."""
        return f"{(self.started_at - EPOCH) // MICROSECOND}-{self.pk}"

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the place that *text* names; raise ValueError if it names none."""
        found = re.fullmatch(r"([0-9]{1,17})-([0-9]{1,18})", text, re.ASCII)
        if found is None:
            raise ValueError(f"{text!r} is no place among runs")
        return cls(started_at=EPOCH + int(found[1]) * MICROSECOND, pk=int(found[2]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some runs, newest first, and where older ones begin; None if there are none."""

    runs: tuple[PastRun, ...]
    older: Cursor | None


def page(task: str, *, behind: Cursor | None = None, limit: int) -> Page:
    """Return *limit* runs of *task*: the latest, or those behind a place."""
    rows = TaskRun.objects.filter(task=task)
    if behind is not None:
        same_start = Q(started_at=behind.started_at, pk__gt=behind.pk)
        rows = rows.filter(Q(started_at__lt=behind.started_at) | same_start, started_at__lte=behind.started_at)
    # Ascending keys among equal starts: so the index has them, and nothing is to be sorted.
    found = list(rows.defer(*LONG_TEXTS).order_by("-started_at", "pk")[: limit + 1])
    last = found[limit - 1] if len(found) > limit else None
    return Page(
        runs=tuple(past_run(row) for row in found[:limit]),
        older=Cursor(started_at=last.started_at, pk=last.pk) if last else None,
    )
