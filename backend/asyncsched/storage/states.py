"""How tasks stand, brought up to date with one statement, however many they are."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection

from asyncsched.models import TaskState
from asyncsched.storage import many
from asyncsched.storage.standing import Standing
from asyncsched.storage.texts import storable

LAST_RUN = (
    "consecutive_failures",
    "last_status",
    "last_trigger",
    "last_scheduled_for",
    "last_started_at",
    "last_finished_at",
    "last_duration",
    "last_error",
)
IF_NEWS = ("cursor", "last_success_at", "excused_until")
TOTALS = ("runs", "failures")


def write(standings: Iterable[Standing], now: datetime) -> None:
    """Bring each task's state up to date; ``paused`` belongs to the people and is left alone."""
    in_order = sorted(standings, key=lambda one: one.name)  # or two processes could deadlock
    many.merge(TaskState, ["task"], [_row(one, now) for one in in_order], _changes())


def _row(one: Standing, now: datetime) -> dict[str, Any]:
    moment = connection.ops.adapt_datetimefield_value
    return {
        "task": one.name,
        "paused": False,
        "cursor": moment(one.cursor),
        "last_success_at": moment(one.last_success_at),
        "excused_until": moment(one.excused_until),
        "runs": one.runs,
        "failures": one.failures,
        "consecutive_failures": one.failures_in_a_row,
        "last_status": one.last_status.value if one.last_status else "",
        "last_trigger": one.last_trigger.value if one.last_status else "",
        "last_scheduled_for": moment(one.last_scheduled_for),
        "last_started_at": moment(one.last_started_at),
        "last_finished_at": moment(one.last_finished_at),
        "last_duration": float(one.last_duration) if one.last_status else None,
        "last_error": storable(one.last_error),
        "next_run_at": moment(one.next_run_at(now)),
    }


def _changes() -> dict[str, str]:
    """Return in SQL what becomes of the columns of a row that is there."""
    new = many.new

    def unless_null(told_by: str, column: str) -> str:
        return f"CASE WHEN {new(told_by)} IS NULL THEN {many.old(TaskState, column)} ELSE {new(column)} END"

    return {
        **{column: unless_null("last_started_at", column) for column in LAST_RUN},
        **{column: unless_null(column, column) for column in IF_NEWS},
        **{column: f"{many.old(TaskState, column)} + {new(column)}" for column in TOTALS},
        # Overdue it is no more, should that have been told of it.
        "alerted_at": f"CASE WHEN {new('excused_until')} IS NULL THEN {many.old(TaskState, 'alerted_at')} END",
        "next_run_at": new("next_run_at"),
    }
