"""From what happened to what is stored: one batch, one transaction."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction

from asyncsched.engine.runs import RunResult, RunStatus, Settled, Trigger
from asyncsched.models import TaskRun, TaskState
from asyncsched.policy import History
from asyncsched.registry import Task
from asyncsched.storage import skips

Entry = tuple[Task, RunResult | Settled]

LAST_RUN_FIELDS = (
    "consecutive_failures",
    "last_status",
    "last_trigger",
    "last_scheduled_for",
    "last_started_at",
    "last_finished_at",
    "last_duration",
    "last_error",
)


def write(batch: Iterable[Entry], tallies: Iterable[skips.Tally] = (), *, replica: str) -> None:
    """Write it in one transaction: new rows, claimed rows brought to their end, states, and what did not run."""
    batch = tuple(batch)
    results = [(task, event) for task, event in batch if isinstance(event, RunResult)]
    with transaction.atomic():
        TaskRun.objects.bulk_create(
            [_row(result, replica) for task, result in results if not result.claim.has_row and wants_row(task, result)],
            ignore_conflicts=True,
        )
        for _, result in results:
            if result.claim.has_row:
                TaskRun.objects.filter(run_id=uuid.UUID(result.claim.run_id)).update(**_outcome(result))
        _write_states(event for _, event in batch)
        skips.write(tallies)


def wants_row(task: Task, result: RunResult) -> bool:
    """True if the task's history policy asks for a row of this run."""
    policy = task.options.history
    if policy is History.FAILURES:
        return result.status.is_failure or result.status is RunStatus.CANCELLED or result.stall is not None
    return policy is History.ALL


def _row(result: RunResult, replica: str) -> TaskRun:
    occurrence = result.claim.occurrence
    return TaskRun(
        run_id=uuid.UUID(result.claim.run_id),
        task=occurrence.task,
        scheduled_for=occurrence.scheduled_for,
        attempt=occurrence.attempt,
        trigger=occurrence.trigger,
        replica=replica,
        claimant=replica,
        **_outcome(result),
    )


def _outcome(result: RunResult) -> dict[str, Any]:
    return {
        "status": result.status,
        "started_at": result.started_at,
        "finished_at": result.finished_at,
        "duration": result.duration,
        "lateness": result.lateness,
        "result": _storable(result.value),
        "error": _storable(result.error),
        "traceback": _storable(result.traceback),
        "heartbeat_at": None,
        "stall_seconds": result.stall.seconds if result.stall else None,
        "stall_where": _storable(result.stall.where) if result.stall else None,
    }


def _write_states(events: Iterable[RunResult | Settled]) -> None:
    """Bring each task's state up to its latest event; ``paused`` belongs to the people and is left alone."""
    settled: dict[str, TaskState] = {}
    latest: dict[str, TaskState] = {}
    succeeded: dict[str, TaskState] = {}
    for event in events:
        if isinstance(event, Settled):
            settled[event.task] = TaskState(task=event.task, cursor=event.until)
            continue
        latest[event.task] = state = _state(event)
        if event.claim.occurrence.trigger is not Trigger.MANUAL:
            settled[event.task] = state
        if event.status is RunStatus.SUCCEEDED:
            succeeded[event.task] = state
    _upsert(latest, LAST_RUN_FIELDS)
    _upsert(settled, ("cursor",))
    _upsert(succeeded, ("last_success_at",))


def _upsert(states: dict[str, TaskState], update_fields: tuple[str, ...]) -> None:
    targeted = connection.features.supports_update_conflicts_with_target  # MySQL takes none
    TaskState.objects.bulk_create(
        [states[name] for name in sorted(states)],  # in one order, or two processes could deadlock
        update_conflicts=True,
        unique_fields=["task"] if targeted else None,
        update_fields=update_fields,
    )


def _state(result: RunResult) -> TaskState:
    occurrence = result.claim.occurrence
    return TaskState(
        task=result.task,
        cursor=None if occurrence.trigger is Trigger.MANUAL else occurrence.scheduled_for,
        consecutive_failures=result.failures,
        last_status=result.status,
        last_trigger=occurrence.trigger,
        last_scheduled_for=occurrence.scheduled_for,
        last_started_at=result.started_at,
        last_finished_at=result.finished_at,
        last_duration=result.duration,
        last_error=_storable(result.error),
        last_success_at=result.finished_at if result.status is RunStatus.SUCCEEDED else None,
    )


def _storable(text: str | None) -> str:
    """Return *text* without what databases refuse: NUL characters and lone surrogates."""
    return (text or "").replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
