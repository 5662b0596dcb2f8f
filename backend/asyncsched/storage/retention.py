"""History does not grow for ever."""

from datetime import datetime

from asyncsched.engine.runs import RunStatus
from asyncsched.models import TaskRun

BATCH = 500
MOST_BATCHES = 100  # per call: the rest waits for the next, so that nothing else waits for long


def prune(before: datetime) -> None:
    """Delete finished runs that started before *before*, in short transactions."""
    old = TaskRun.objects.filter(started_at__lt=before).exclude(status=RunStatus.RUNNING).order_by("started_at")
    for _ in range(MOST_BATCHES):
        keys = list(old.values_list("pk", flat=True)[:BATCH])
        if not keys:
            return
        TaskRun.objects.filter(pk__in=keys).delete()
