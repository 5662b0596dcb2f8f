"""Is this process well? What probes and status pages ask."""

from collections.abc import Mapping
from typing import Any

from asyncsched.engine.context import Health
from asyncsched.engine.running import RunningRun
from asyncsched.listeners.metrics import MetricsListener
from asyncsched.server.host import Host, State

READY = frozenset({State.RUNNING, State.DISABLED})


def health_of(scope: Mapping[str, Any]) -> Health | None:
    """Return how the scheduler fares that serves *scope* (a request's or a WebSocket's); None if none runs."""
    host = _host(scope)
    if host is None or host.supervisor is None or host.state is not State.RUNNING:
        return None
    return host.supervisor.health()


def running_of(scope: Mapping[str, Any]) -> tuple[RunningRun, ...]:
    """Return what runs in this very process, and how far it is; nothing if no scheduler serves *scope*. Any thread."""
    host = _host(scope)
    return host.supervisor.running() if host and host.supervisor else ()


def readiness(scope: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``ready``, ``state`` and the names of ``quarantined`` tasks and services.

    Ready is who schedules, or was told not to; not who starts, drains, failed, or has a task whose
    coroutine keeps ending.
    """
    host = _host(scope)
    state = host.state if host else State.IDLE
    quarantined = sorted(host.supervisor.quarantined) if host and host.supervisor else []
    return {"ready": state in READY and not quarantined, "state": state.value, "quarantined": quarantined}


def metrics_of(scope: Mapping[str, Any]) -> MetricsListener | None:
    """Return what the scheduler that serves *scope* has counted; None if none was ever started."""
    host = _host(scope)
    listeners = host.supervisor.listeners if host and host.supervisor else ()
    return next((listener for listener in listeners if isinstance(listener, MetricsListener)), None)


def _host(scope: Mapping[str, Any]) -> Host | None:
    host = scope.get("asyncsched")
    return host if isinstance(host, Host) else None
