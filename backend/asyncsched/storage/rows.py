"""From what happened to what is stored: one batch, one transaction."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from asyncsched.engine.runs import RunResult
from asyncsched.models import TaskRun, TaskState
from asyncsched.storage import skips
from asyncsched.storage.backlog import Batch
from asyncsched.storage.records import Record
from asyncsched.storage.standing import Standing

LAST_RUN_FIELDS = (
    "consecutive_failures",
    "last_status",
    "last_trigger",
    "last_scheduled_for",
    "last_started_at",
    "last_finished_at",
    "last_duration",
    "last_error",
    "next_run_at",
)


def write(batch: Batch, *, replica: str, now: datetime) -> None:
    """Write it in one transaction: new rows, claimed rows brought to their end, states, and what did not run."""
    with transaction.atomic():
        TaskRun.objects.bulk_create(
            [_row(record, replica) for record in batch.records if not record.has_row], ignore_conflicts=True
        )
        for record in batch.records:
            if record.has_row:
                TaskRun.objects.filter(run_id=uuid.UUID(record.run_id)).update(**_outcome(record))
        _write_states(batch.standings, now)
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
    last = {
        (one.name, one.last.claim.occurrence.scheduled_for, one.last.started_at) for one in batch.standings if one.last
    }
    stored = TaskState.objects.filter(task__in=[name for name, *_ in last])
    return not last.isdisjoint(stored.values_list("task", "last_scheduled_for", "last_started_at"))


def _row(record: Record, replica: str) -> TaskRun:
    return TaskRun(
        run_id=uuid.UUID(record.run_id),
        task=record.task,
        scheduled_for=record.scheduled_for,
        attempt=record.attempt,
        trigger=record.trigger,
        count=record.count,
        replica=replica,
        claimant=replica,
        **_outcome(record),
    )


def _outcome(record: Record) -> dict[str, Any]:
    return {
        "status": record.status,
        "started_at": record.started_at,
        "finished_at": record.finished_at,
        "duration": record.duration,
        "lateness": record.lateness,
        "result": storable(record.value),
        "error": storable(record.error),
        "traceback": storable(record.traceback),
        "heartbeat_at": None,
        "stall_seconds": record.stall.seconds if record.stall else None,
        "stall_where": storable(record.stall.where) if record.stall else None,
        "term": record.term,
        "log": storable(record.log) if record.log else None,
    }


def _write_states(standings: Iterable[Standing], now: datetime) -> None:
    """Bring each task's state up to date; ``paused`` belongs to the people and is left alone."""
    standings = sorted(standings, key=lambda one: one.name)  # in one order, or two processes could deadlock
    states = {one.name: _state(one, now) for one in standings}
    _upsert([states[one.name] for one in standings if one.last], LAST_RUN_FIELDS)
    _upsert([states[one.name] for one in standings if one.cursor], ("cursor", "next_run_at"))
    _upsert([states[one.name] for one in standings if one.last_success], ("last_success_at",))
    # Overdue it is no more, should that have been told of it.
    _upsert([states[one.name] for one in standings if one.last_skipped], ("excused_until", "alerted_at"))
    alike: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    for one in standings:
        alike[one.runs, one.failures].append(one.name)
    for (runs, failures), names in alike.items():
        if runs or failures:
            TaskState.objects.filter(task__in=names).update(runs=F("runs") + runs, failures=F("failures") + failures)


def _upsert(states: list[TaskState], update_fields: tuple[str, ...]) -> None:
    targeted = connection.features.supports_update_conflicts_with_target  # MySQL takes none
    TaskState.objects.bulk_create(
        states,
        update_conflicts=True,
        unique_fields=["task"] if targeted else None,
        update_fields=update_fields,
    )


def _state(standing: Standing, now: datetime) -> TaskState:
    state = TaskState(task=standing.name, cursor=standing.cursor, next_run_at=standing.next_run_at(now))
    if last := standing.last:
        _tell_last(state, last)
    if success := standing.last_success:
        state.last_success_at = success.finished_at
    if skipped := standing.last_skipped:
        state.excused_until = skipped.finished_at
    return state


def _tell_last(state: TaskState, last: RunResult) -> None:
    occurrence = last.claim.occurrence
    state.consecutive_failures = last.failures
    state.last_status = last.status
    state.last_trigger = occurrence.trigger
    state.last_scheduled_for = occurrence.scheduled_for
    state.last_started_at = last.started_at
    state.last_finished_at = last.finished_at
    state.last_duration = last.duration
    state.last_error = storable(last.error)


def storable(text: str | None) -> str:
    """Return *text* without what databases refuse: NUL characters and lone surrogates."""
    return (text or "").replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
