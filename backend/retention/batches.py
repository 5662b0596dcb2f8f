"""Deleting many rows without locking anybody out: in short transactions, along the primary key."""

import time
from collections.abc import Iterator
from typing import Any

from django.db import connections, models, transaction

from asyncsched import Run
from retention.current import run_or_none
from retention.pace import Pace

LARGEST_BATCH = 50_000


def delete_in_batches(queryset: models.QuerySet[Any], *, batch_size: int = LARGEST_BATCH) -> int:
    """Delete the rows of *queryset* in short transactions; return how many of its own model went.

    Each takes at most *batch_size* rows, and as many fewer as it takes to be over in 50 ms. Web
    requests can write between any two of them, also on SQLite, however large the table is. A
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
    pace = Pace(batch_size, one_writer=connections[queryset.db].vendor == "sqlite")
    for count in _deletions(queryset, pace, path=(), run=run):
        deleted += count
        if run:
            run.progress(deleted, total)
    return deleted


def _deletions(
    queryset: models.QuerySet[Any], pace: Pace, *, path: tuple[type[models.Model], ...], run: Run | None
) -> Iterator[int]:
    """Delete batch after batch, yielding the number of rows of each."""
    rest = queryset
    while not (run and run.stopping):
        ends = _ends_of_batch(rest.order_by("pk").values_list("pk", flat=True), pace.size)
        if ends is None:
            return
        batch = queryset.filter(pk__range=ends)
        for dependants in _dependants(batch, path):
            for _ in _deletions(dependants, pace, path=(*path, queryset.model), run=run):
                continue
        if run and run.stopping:
            return
        yield _delete(batch, pace)
        rest = queryset.filter(pk__gt=ends[1])  # what is passed is never looked at again


def _ends_of_batch(pks: models.QuerySet[Any, Any], size: int) -> tuple[Any, Any] | None:
    """Return a first and a last key with at most *size* of *pks* from one to the other; None if there are none."""
    first = pks.first()
    if first is None:
        return None
    if isinstance(first, int):
        return first, first + size - 1  # to have the database count would take half as long as to delete
    return first, pks[size - 1 : size].first() or pks.last()


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


def _delete(batch: models.QuerySet[Any], pace: Pace) -> int:
    started = time.monotonic()
    with transaction.atomic(using=batch.db):
        _, per_model = batch.delete()
    time.sleep(pace.after(time.monotonic() - started))
    return per_model.get(batch.model._meta.label, 0)
