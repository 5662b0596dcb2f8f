"""A task that has not succeeded within its own time raises an alert, even if the scheduler itself is what died.

Every process looks, not only the one that leads, so a leader that hangs is found by the others; and
``async_tasks status --alert`` looks where no process is left. Whoever notices first writes it down,
and tells the receivers of ``asyncsched.signals`` in the same transaction, once for an incident.
``engine.overdue`` says what overdue is.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from asyncsched import signals
from asyncsched.engine.overdue import Record, overdue_since
from asyncsched.registry import Task
from asyncsched.storage import alerts as rows
from asyncsched.storage.database_time import database_now

logger = logging.getLogger("asyncsched.alerts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A task that has not succeeded in time. Times are aware, in UTC."""

    task: str
    schedule: str
    """In words."""
    last_success_at: datetime | None
    expected_by: datetime
    """When its time was over."""
    last_status: str
    """How its last run ended; empty if there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What one look found."""

    last_success_at: Mapping[str, datetime]
    overdue: tuple[Alert, ...]


def look(tasks: Iterable[Task], *, is_scheduler_alive: bool) -> list[Alert]:
    """Find those of *tasks* whose success is overdue, raise and end alerts, and return all that are overdue now.

    Blocking. *is_scheduler_alive*: whether a process is there that runs tasks, and so sends messages.
    """
    found = survey(tasks, now=database_now(), is_scheduler_alive=is_scheduler_alive)
    if not is_scheduler_alive:
        signals.nobody_schedules.send(sender=None)
    return list(found.overdue)


def survey(tasks: Iterable[Task], *, now: datetime, is_scheduler_alive: bool, since: datetime | None = None) -> Survey:
    """Look once, as ``look`` does, and return what was found. *since*: before then no success could be expected."""
    known = {task.name: task for task in tasks}
    states = rows.states(known.keys())
    presences = rows.presences()
    records = _records(known, states, presences, now=now, since=since, is_scheduler_alive=is_scheduler_alive)
    late = {name: by for name, record in records.items() if (by := overdue_since(known[name], record, now))}
    overdue = tuple(_alert(known[name], states[name], by) for name, by in late.items())
    in_time = [
        _alert(known[name], states[name], now)
        for name, record in records.items()
        if states[name].alerted_at and name not in late and _has_succeeded(known[name], record, now)
    ]
    _raise_and_end(overdue, in_time, states, now=now, is_scheduler_alive=is_scheduler_alive)
    elsewhere = {name for one in presences if one.expires_at > now for name in one.tasks}
    disabled = {name for name, task in known.items() if not task.options.enabled} - elsewhere
    rows.forget_alerts(name for name in disabled if states[name].alerted_at)
    successes = {name: at for name, state in states.items() if (at := state.last_success_at)}
    return Survey(last_success_at=successes, overdue=overdue)


def _records(
    tasks: Mapping[str, Task],
    states: Mapping[str, rows.State],
    presences: Sequence[rows.Presence],
    *,
    now: datetime,
    since: datetime | None,
    is_scheduler_alive: bool,
) -> dict[str, Record]:
    """Return what is known of each task of which a success is expected at all."""
    knows_processes = any(one.expires_at > now for one in presences)
    found = {}
    for name, task in tasks.items():
        record = rows.record(states[name], is_scheduler_alive=is_scheduler_alive)
        began, ended = rows.up_since(task, presences)
        is_known = ended is not None and ended > now
        if record is None or not task.options.enabled or (knows_processes and not is_known):
            continue  # the last: it is parked, because no process that lives has it
        moments = [moment for moment in (began, since) if moment is not None and moment <= now]
        found[name] = replace(record, up_since=max(moments, default=None), is_up=is_known or since is not None)
    return found


def _has_succeeded(task: Task, record: Record, now: datetime) -> bool:
    """True if its last success is what makes *task* be in time, and not that nobody could expect one yet."""
    by_itself = replace(record, excused_until=None, is_up=False)
    return record.last_success_at is not None and overdue_since(task, by_itself, now) is None


def _raise_and_end(
    overdue: Iterable[Alert],
    in_time: Iterable[Alert],
    states: Mapping[str, rows.State],
    *,
    now: datetime,
    is_scheduler_alive: bool,
) -> None:
    """Write down what has changed, and tell of it. Of several that find the same, one does."""
    fresh = sorted((one for one in overdue if not states[one.task].alerted_at), key=_name)
    over = sorted(in_time, key=_name)
    if not fresh and not over:
        return
    rows.add_missing(one.task for one in fresh)
    # In one order: who comes second waits at the first row, and then finds all taken. Nothing is read before it is
    # written, or SQLite may refuse to write.
    with transaction.atomic():
        raised = [one for one in fresh if rows.take_alert(states[one.task], now)]
        ended = [one for one in over if rows.end_alert(states[one.task])]
        if raised:
            signals.task_overdue.send(sender=None, alerts=raised, is_scheduler_alive=is_scheduler_alive)
        if ended:
            signals.task_recovered.send(sender=None, alerts=ended, is_scheduler_alive=is_scheduler_alive)
    for one in raised:
        logger.error(
            "%s has not succeeded in time (%s): last success %s, expected by %s",
            one.task,
            one.schedule,
            one.last_success_at.isoformat(timespec="seconds") if one.last_success_at else "never",
            one.expected_by.isoformat(timespec="seconds"),
            extra={"action": "task_overdue", "task": one.task},
        )
    for one in ended:
        logger.info("%s has succeeded again", one.task, extra={"action": "task_recovered", "task": one.task})


def _alert(task: Task, state: rows.State, by: datetime) -> Alert:
    return Alert(
        task=task.name,
        schedule=task.schedule.describe(),
        last_success_at=state.last_success_at,
        expected_by=by,
        last_status=state.last_status,
    )


def _name(alert: Alert) -> str:
    return alert.task
