"""The alarm's one row: read it, and change it with all that belongs to a change.

A change locks the row, so of several processes that do the same at once one does it and the others
find it done. The event, and whatever receivers of ``alarm_changed`` write, are stored with it.
Everything here blocks; nothing here asks who may do it: people come by ``alarm.operate``.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from constance import config
from django.conf import settings
from django.db import connection, transaction

from alarm import events
from alarm.board import board
from alarm.changes import alarm_changed
from alarm.machine import Command, Delays, Mode, State, Status, after_command, after_timer
from alarm.models import AlarmState
from home.changes import tell
from notifications import outbox

__all__ = ["Command", "Mode", "State", "Status", "command", "current", "elapse"]

ROW = 1
LOCK_PATIENCE = "3s"  # less than that of the timers: each look that they give up leaves a connection behind
TIMER = "timer"


def current() -> Status:
    """Return the status as it is stored, without waiting for anybody who is changing it."""
    row = AlarmState.objects.filter(pk=ROW).first()
    return _status(row or AlarmState.objects.get_or_create(pk=ROW)[0])


def command(
    command: Command,
    *,
    by: str,
    now: datetime,
    exit_delay: timedelta | None = None,
    details: Mapping[str, Any] | None = None,
) -> Status | None:
    """Do *command* and return the new status; None if it changes nothing in the present state.

    *by* is who wants it, as events name their source: ``rule:12``. *exit_delay* replaces the one in
    the settings; *details* are added to the event's.
    """
    delays = _delays(exit_delay)
    return _change(partial(after_command, command=command, now=now, delays=delays), by=by, details=details or {})


def elapse(now: datetime) -> Status | None:
    """Go on to what follows if the present state's time is up, and return it; None if it is not."""
    return _change(partial(after_timer, now=now, delays=_delays()), by=TIMER, details={})


def lock() -> AlarmState:
    """Make everybody else who changes the alarm, or tries a code, wait until the caller's transaction ends.

    Raises:
        OperationalError: somebody else has made the caller wait for too long.
    """
    if connection.vendor == "postgresql":  # the others give up by themselves; it would wait for a frozen machine
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_PATIENCE])
    return AlarmState.objects.select_for_update().get_or_create(pk=ROW)[0]


def _change(find: Callable[[Status], Status | None], *, by: str, details: Mapping[str, Any]) -> Status | None:
    with transaction.atomic():
        row = lock()
        before = _status(row)
        after = find(before)
        if after is None:
            return None
        row.state, row.mode, row.version = after.state, after.mode or "", after.version
        row.since, row.until = after.since, after.until
        row.save()
        _record(before, after, by=by, details=details)
        if after.state is State.TRIGGERED and settings.NOTIFY_URLS and config.ALARM_NOTIFIES:
            _notify(before, after)
        tell(alarm_changed, before=before, after=after)  # if rules fail, the alarm goes off all the same
        transaction.on_commit(partial(board.changed, after))
    return after


def _record(before: Status, after: Status, *, by: str, details: Mapping[str, Any]) -> None:
    kind = "armed" if after.state.startswith("armed") else after.state.value
    about = {"from": before.state.value, "state": after.state.value, **details}
    events.record(kind, _in_words(after), source=by, details=about, now=after.since)


def _notify(before: Status, after: Status) -> None:
    """Tell everybody, without waiting for a rule to do it."""
    cause = "Nobody disarmed in time." if before.state is State.PENDING else "It was raised at once."
    mode = f"It was armed {after.mode}." if after.mode else "It was not armed."
    outbox.queue("ALARM", f"The alarm went off. {cause} {mode}", urgent=True)


def _in_words(status: Status) -> str:
    seconds = f"{(status.until - status.since).total_seconds():g} s" if status.until else ""
    match status.state:
        case State.ARMING:
            return f"Arming {status.mode}: {seconds} to leave"
        case State.PENDING:
            return f"Somebody came in: {seconds} to disarm"
        case State.TRIGGERED:
            return "Alarm!"
        case _:
            return str(status.state.label)


def _delays(exit_delay: timedelta | None = None) -> Delays:
    return Delays(
        exit=timedelta(seconds=config.ALARM_EXIT_DELAY) if exit_delay is None else exit_delay,
        entry=timedelta(seconds=config.ALARM_ENTRY_DELAY),
        trigger=timedelta(seconds=config.ALARM_TRIGGER_DURATION),
    )


def _status(row: AlarmState) -> Status:
    return Status(
        state=State(row.state),
        mode=Mode(row.mode) if row.mode else None,
        since=row.since,
        until=row.until,
        version=row.version,
    )
