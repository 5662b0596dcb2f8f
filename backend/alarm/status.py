"""The status payload: how the house and its scheduler are, ready for JSON."""

from typing import Any, Protocol

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
    """Return ``home_assistant``, ``mqtt``, ``frigate`` and ``scheduler``; no I/O.

    ``lateness_ms_p99`` is null before the first run; without *health* the scheduler has no tasks.
    """
    return {**snapshot(), "scheduler": _scheduler(health)}


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
