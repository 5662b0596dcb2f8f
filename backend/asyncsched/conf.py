"""settings.ASYNCSCHED, read into one frozen value. Every key has a default; a wrong one is named."""

import difflib
import math
from dataclasses import dataclass, field, fields
from typing import Any

from django.conf import settings

from asyncsched.errors import ConfigurationError, ScheduleError
from asyncsched.schedules.base import zone_named

SECRETS = frozenset({"METRICS_TOKEN"})  # never shown

LEAST_THRESHOLD = 0.05  # seconds: below, the load of any machine is a stall now and then
# Of the lease time a tenth must be enough to ask the database something.
LEAST = {"HISTORY_DAYS": 0, "HISTORY_RUNS": 0, "SHUTDOWN_GRACE": 0, "SLOW_RUN": 0, "LEASE_SECONDS": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What ``settings.ASYNCSCHED`` may say; the keys are these names in capitals."""

    enabled: bool = True
    """False: the server runs, the scheduler does not."""
    threads: int = 8
    """How many sync tasks may run at once."""
    shutdown_grace: float = 10.0
    """Seconds in which a stopping server lets runs finish, cuts off the rest and writes it all down."""
    time_zone: str = ""
    """IANA zone of DailyAt and Cron schedules that name none; by default Django's TIME_ZONE."""
    history_days: int = 30
    """Runs older than this are deleted; 0 keeps them all."""
    history_runs: int = 10_000
    """So many rows a task may have, or its oldest are deleted, successes first; 0 sets no limit."""
    slow_run: float = 1.0
    """Seconds: a run that takes longer keeps a row of its own where others are summed up."""
    election: bool = True
    """False: this is the only process, or is to run everything itself; it needs no database to lead."""
    lease_seconds: float = 10.0
    """The longest time in which nobody leads after the process that did has died."""
    restarts: int = 5
    """A coroutine that ends more often than this within *restart_seconds* is quarantined."""
    restart_seconds: float = 60.0
    stall_threshold: float = 0.25
    """Seconds for which something may keep the event loop to itself before it is named; 0 names nothing."""
    metrics_token: str = field(default="", repr=False)
    """Who shows it as a bearer token may read ``/metrics``; without it only this machine itself may."""


def problems() -> list[tuple[str, str]]:
    """Return what is wrong with settings.ASYNCSCHED, as pairs of key and sentence."""
    given = getattr(settings, "ASYNCSCHED", {})
    if not isinstance(given, dict):
        return [("ASYNCSCHED", f"must be a dict, but is {given!r}")]
    known = {field.name.upper(): field for field in fields(Settings)}
    found = []
    for key, value in given.items():
        if key not in known:
            found.append((key, f"is not a setting{_suggestion(key, known)}; known are {', '.join(sorted(known))}"))
        elif reason := _refusal(key, value, type(known[key].default)):
            found.append((key, reason))
    return found


def load() -> Settings:
    """Return the settings; raise ConfigurationError naming the first thing that is wrong."""
    for key, reason in problems():
        raise ConfigurationError(f"settings.ASYNCSCHED[{key!r}] {reason}")
    given = {key.lower(): value for key, value in getattr(settings, "ASYNCSCHED", {}).items()}
    return Settings(**{"time_zone": settings.TIME_ZONE} | given)


def _suggestion(key: str, known: dict[str, Any]) -> str:
    close = difflib.get_close_matches(str(key), known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _refusal(key: str, value: Any, kind: type) -> str | None:
    """Return why *value* will not do for *key*, None if it will."""
    if kind is bool or kind is str:
        if not isinstance(value, kind):
            given = f"a secret of type {type(value).__name__}" if key in SECRETS else repr(value)
            return f"must be {'True or False' if kind is bool else 'text'}, but is {given}"
        return _zone_refusal(value) if key == "TIME_ZONE" and isinstance(value, str) else None
    allowed = int if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, allowed) or not math.isfinite(value):
        return f"must be {'a whole number' if kind is int else 'a number of seconds'}, but is {value!r}"
    if key == "STALL_THRESHOLD":
        is_allowed = value == 0 or value >= LEAST_THRESHOLD
        return None if is_allowed else f"must be at least {LEAST_THRESHOLD}, or 0 for none, but is {value!r}"
    least = LEAST.get(key, 1)
    return None if value >= least else f"must be at least {least}, but is {value!r}"


def _zone_refusal(value: str) -> str | None:
    try:
        zone_named(value)
    except ScheduleError as error:
        return str(error)
    return None
