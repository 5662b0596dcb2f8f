"""The status payload: how the house, its alarm and its scheduler are, ready for JSON."""

from datetime import datetime
from typing import Any, Protocol

from alarm.board import board
from alarm.machine import Mode, State, Status
from home.status import snapshot


class Health(Protocol):
    """How the scheduler fares, as ``current_run().health`` tells. Lateness in seconds."""

    @property
    def leader(self) -> bool: ...
    @property
    def tasks(self) -> int: ...
    @property
    def running(self) -> int: ...
    @property
    def failing(self) -> int: ...
    @property
    def lateness_p99(self) -> float | None: ...


def payload(health: Health | None) -> dict[str, Any]:
    """Return ``alarm``, ``home_assistant``, ``mqtt``, ``frigate`` and ``scheduler``; no I/O.

    ``lateness_ms_p99`` is null before the first run; without *health* the scheduler has no tasks.
    """
    return {"alarm": alarm_json(board.status), **snapshot(), "scheduler": _scheduler(health)}


def alarm_json(status: Status | None) -> dict[str, Any]:
    """Return *status* ready for JSON, times in ISO 8601, UTC; ``state`` is null if it is not known yet."""
    if status is None:
        return {"state": None, "mode": None, "since": None, "until": None, "version": 0}
    return {
        "state": status.state.value,
        "mode": status.mode.value if status.mode else None,
        "since": status.since.isoformat(timespec="milliseconds"),
        "until": status.until.isoformat(timespec="milliseconds") if status.until else None,
        "version": status.version,
    }


def alarm_status(found: dict[str, Any]) -> Status | None:
    """Return the status that ``alarm_json`` wrote as *found*."""
    if found["state"] is None:
        return None
    return Status(
        state=State(found["state"]),
        mode=Mode(found["mode"]) if found["mode"] else None,
        since=datetime.fromisoformat(found["since"]),
        until=datetime.fromisoformat(found["until"]) if found["until"] else None,
        version=found["version"],
    )


def _scheduler(health: Health | None) -> dict[str, Any]:
    if health is None:
        return {"leader": False, "tasks": 0, "running": 0, "failing": 0, "lateness_ms_p99": None}
    late = health.lateness_p99
    return {
        "leader": health.leader,
        "tasks": health.tasks,
        "running": health.running,
        "failing": health.failing,
        "lateness_ms_p99": None if late is None else round(late * 1000, 3),
    }
