"""Deleting many rows without locking anybody out.

SQLite has one writer at a time and a waiting one only asks now and then whether the lock is free.
So rows go in small transactions, and after each the database is left alone for as long as that
transaction took: whoever waits finds the lock free every other time it asks.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

from django.db import models, transaction

from asyncsched import Run
from retention.current import run_or_none

TARGET_SECONDS = 0.05
"""A transaction that took longer makes the next ones smaller."""
BREATH_SECONDS = 0.005
"""The shortest rest between two transactions."""
SMALLEST_BATCH = 10


class _Pace:
    """How many rows to take next, and for how long to rest after them."""

    def __init__(self, batch_size: int) -> None:
        self.largest = batch_size
        self.size = batch_size

    def timed(self, delete: Callable[[], int]) -> int:
        """Run *delete*, rest, adapt the size; return what *delete* did."""
        started = time.monotonic()
        deleted = delete()
        took = time.monotonic() - started
        if took > TARGET_SECONDS:
            self.size = max(min(SMALLEST_BATCH, self.largest), self.size // 2)
        else:
            self.size = min(self.largest, self.size * 2)
        time.sleep(max(BREATH_SECONDS, took))
        return deleted


def delete_in_batches(queryset: models.QuerySet[Any], *, batch_size: int = 500) -> int:
    """Delete the rows of *queryset* in short transactions; return how many of its own model went.

    Web requests can write between any two of them, also on SQLite, however large the table is. A
    row is deleted only if it still matches when its turn comes. Rows that point at a deleted one
    go before it in batches of their own (``CASCADE``) or are let go by Django (``SET_NULL``), so
    the call as a whole is not atomic: when it ends early, what is gone is gone and the rest stays.

    Inside a run it reports progress and ends early, normally, once the run should stop. Call it
    from a sync task and outside a transaction: within one, nothing is freed before that ends.

    Raises:
        ValueError: if *batch_size* is not positive.
        django.db.models.ProtectedError: if a row may not be deleted.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size}: must be at least 1")
    run = run_or_none()
    total = queryset.count() if run else None
    deleted = 0
    for count in _deletions(queryset, _Pace(batch_size), path=(), run=run):
        deleted += count
        if run:
            run.progress(deleted, total)
    return deleted


def _deletions(
    queryset: models.QuerySet[Any], pace: _Pace, *, path: tuple[type[models.Model], ...], run: Run | None
) -> Iterator[int]:
    """Delete batch after batch, yielding the number of rows of each."""
    last: Any = None
    while not (run and run.stopping):
        pks = _next_pks(queryset, last, pace.size)
        if not pks:
            return
        last = pks[-1]
        batch = queryset.filter(pk__in=pks)
        for dependants in _dependants(batch, path):
            for _ in _deletions(dependants, pace, path=(*path, queryset.model), run=run):
                continue
        if run and run.stopping:
            return
        yield pace.timed(lambda batch=batch: _delete(batch))  # type: ignore[misc]


def _next_pks(queryset: models.QuerySet[Any], after: Any, size: int) -> list[Any]:
    """Read on by primary key: rows already passed are never looked at again."""
    rest = queryset if after is None else queryset.filter(pk__gt=after)
    return list(rest.order_by("pk").values_list("pk", flat=True)[:size])


def _dependants(batch: models.QuerySet[Any], path: tuple[type[models.Model], ...]) -> Iterator[models.QuerySet[Any]]:
    """Yield the rows that would go with *batch*, which can be far more than the batch.

    Not where a delete may be refused, since then nothing may be gone; nor where models point at
    each other in a circle. There Django deletes the batch and all with it in one transaction.
    """
    fields = batch.model._meta.get_fields(include_hidden=True)
    relations = [field for field in fields if isinstance(field, models.ManyToOneRel)]
    if any(relation.on_delete in (models.PROTECT, models.RESTRICT) for relation in relations):
        return
    for relation in relations:
        child = relation.related_model
        if relation.on_delete is models.CASCADE and child is not batch.model and child not in path:
            rows = child._base_manager.using(batch.db)
            yield rows.filter(**{f"{relation.field.name}__in": batch.order_by()})


def _delete(batch: models.QuerySet[Any]) -> int:
    with transaction.atomic(using=batch.db):
        _, per_model = batch.delete()
    return per_model.get(batch.model._meta.label, 0)
