"""History does not grow for ever."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from asyncsched.engine.runs import RunStatus
from asyncsched.models import TaskRun, TaskSkip

BATCH = 500
MOST_BATCHES = 100  # per call: the rest waits for the next, so that nothing else waits for long


def prune(before: datetime) -> None:
    """Delete, in short transactions, finished runs that started and skips that were due before *before*."""
    runs = TaskRun.objects.filter(started_at__lt=before).exclude(status=RunStatus.RUNNING).order_by("started_at")
    _delete(runs)
    _delete(TaskSkip.objects.filter(last_scheduled_for__lt=before).order_by("last_scheduled_for"))


def _delete(old: QuerySet[Any]) -> None:
    for _ in range(MOST_BATCHES):
        keys = list(old.values_list("pk", flat=True)[:BATCH])
        if not keys:
            return
        old.model._default_manager.filter(pk__in=keys).delete()
