"""From what happened to what is stored: one batch, one transaction."""

import uuid
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from asyncsched.models import TaskRun, TaskState
from asyncsched.storage import many, skips, states
from asyncsched.storage.backlog import Batch
from asyncsched.storage.records import Record
from asyncsched.storage.texts import storable


def write(batch: Batch, *, replica: str, now: datetime) -> None:
    """Write it in one transaction: new rows, claimed rows brought to their end, states, and what did not run."""
    with transaction.atomic():
        many.insert(TaskRun, [_row(record, replica) for record in batch.records if not record.has_row])
        for record in batch.records:
            if record.has_row:
                TaskRun.objects.filter(run_id=uuid.UUID(record.run_id)).update(**_outcome(record))
        states.write(batch.standings, now)
        skips.write(batch.tallies)


def is_written(batch: Batch) -> bool:
    """Return whether the database has taken *batch* although it could not say so.

    Rows and tallies may be written twice, but what is added to a total may not. As a batch is one
    transaction, one sign of it shows that all of it is there: a row that it alone inserts or, if
    there is none, the last run of a task. (That sign is gone if another process wrote the state of
    each of the batch's tasks meanwhile, as with ``scope="replica"``. Then they count as new: totals
    may be too high after an outage of the database, by the runs of a minute, but never too low.)
    """
    new = [uuid.UUID(record.run_id) for record in batch.records if not record.has_row]
    if new:
        return TaskRun.objects.filter(run_id__in=new).exists()
    last = {(one.name, one.last_scheduled_for, one.last_started_at) for one in batch.standings if one.last_status}
    stored = TaskState.objects.filter(task__in=[name for name, *_ in last])
    return not last.isdisjoint(stored.values_list("task", "last_scheduled_for", "last_started_at"))


def _row(record: Record, replica: str) -> dict[str, Any]:
    moment = connection.ops.adapt_datetimefield_value
    values = _outcome(record)
    values |= {name: moment(values[name]) for name in ("started_at", "finished_at")}
    return values | {
        "run_id": record.run_id,  # in hex: every database takes that, whatever type it has for it
        "task": record.task,
        "scheduled_for": moment(record.scheduled_for),
        "attempt": record.attempt,
        "trigger": record.trigger.value,
        "count": record.count,
        "replica": replica,
        "claimant": replica,
    }


def _outcome(record: Record) -> dict[str, Any]:
    return {
        "status": record.status.value,
        "started_at": record.started_at,
        "finished_at": record.finished_at,
        "duration": float(record.duration),
        "lateness": float(record.lateness),
        "result": storable(record.value),
        "error": storable(record.error),
        "traceback": storable(record.traceback),
        "heartbeat_at": None,
        "stall_seconds": record.stall.seconds if record.stall else None,
        "stall_where": storable(record.stall.where) if record.stall else None,
        "term": record.term,
        "log": storable(record.log) if record.log else None,
    }
