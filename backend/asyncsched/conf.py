"""settings.ASYNCSCHED, read into one frozen value. Every key has a default; a wrong one is named."""

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.module_loading import import_string

from asyncsched.engine.boundary import Boundary
from asyncsched.engine.ports import Listener
from asyncsched.engine.runner import describe
from asyncsched.errors import ConfigurationError, ScheduleError, UnknownTask
from asyncsched.policy import LOCAL
from asyncsched.registry import registry
from asyncsched.schedules.base import zone_named

SECRETS = frozenset({"METRICS_TOKEN", "PINGS"})  # never shown

LEAST_THRESHOLD = 0.05  # seconds: below, the load of any machine is a stall now and then
# Of the lease time a tenth must be enough to ask the database something.
LEAST = {
    "HISTORY_DAYS": 0,
    "HISTORY_RUNS": 0,
    "LOG_LINES": 0,
    "SHUTDOWN_GRACE": 0,
    "SLOW_RUN": 0,
    "LEASE_SECONDS": 2,
    "STALL_THRESHOLD": 0,
}
MOST = {"LOG_LINES": 1_000}  # more than that would not fit into what is kept of a run


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
    """Runs, skips, stalls and terms older than this are deleted; 0 keeps them all."""
    history_runs: int = 10_000
    """So many rows a task may have, or its oldest are deleted, successes first; 0 sets no limit. Of stalls so many
    are kept in all."""
    slow_run: float = 1.0
    """Seconds: a run that takes longer keeps a row of its own where others are summed up."""
    log_lines: int = 200
    """So many of the latest lines that a run writes to the log are kept with it; 0 keeps none."""
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
    listeners: Sequence[str] = ()
    """Dotted paths of Listener classes that are told of every run; each is made once, without arguments."""
    pings: Mapping[str, str] | None = field(default=None, repr=False)
    """Addresses that are fetched when a run begins and ends, by name of the task: they are secrets."""
    executors: Mapping[str, Mapping[str, Any]] | None = None
    """To where runs may be handed off, by the name that tasks give: dicts of BACKEND, a dotted path, and OPTIONS."""
    tracing: bool = False
    """True: each run is a span of OpenTelemetry."""


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
        elif reason := _SPECIAL[key](value) if key in _SPECIAL else _refusal(key, value, type(known[key].default)):
            found.append((key, reason))
    return found


def load() -> Settings:
    """Return the settings; raise ConfigurationError naming the first thing that is wrong."""
    for key, reason in problems():
        raise ConfigurationError(f"settings.ASYNCSCHED[{key!r}] {reason}")
    given = {key.lower(): value for key, value in getattr(settings, "ASYNCSCHED", {}).items()}
    return Settings(**{"time_zone": settings.TIME_ZONE} | given)


def listener_class(path: str) -> type[Listener]:
    """Return the Listener that has the dotted *path*; raise ConfigurationError if there is none."""
    with Boundary() as boundary:  # it is imported, and that may run anything
        found = import_string(path)
    if boundary.error is not None:
        raise ConfigurationError(f"names {path!r}, which cannot be imported: {describe(boundary.error)}")
    if not (isinstance(found, type) and issubclass(found, Listener)):
        raise ConfigurationError(f"names {path!r}, which is no subclass of asyncsched.Listener")
    return found


def _suggestion(key: str, known: dict[str, Any]) -> str:
    close = difflib.get_close_matches(str(key), known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _refusal(key: str, value: Any, kind: type) -> str | None:
    """Return why *value* will not do for *key*, None if it will."""
    if kind is bool or kind is str:
        if not isinstance(value, kind):
            given = f"a secret of type {type(value).__name__}" if key in SECRETS else repr(value)
            return f"must be {'True or False' if kind is bool else 'text'}, but is {given}"
        return None
    allowed = int if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, allowed) or not math.isfinite(value):
        return f"must be {'a whole number' if kind is int else 'a number of seconds'}, but is {value!r}"
    least, most = LEAST.get(key, 1), MOST.get(key, math.inf)
    if value > most:
        return f"must be at most {most}, but is {value!r}"
    return None if value >= least else f"must be at least {least}, but is {value!r}"


def _zone_refusal(value: Any) -> str | None:
    if refusal := _refusal("TIME_ZONE", value, str):
        return refusal
    try:
        zone_named(value)
    except ScheduleError as error:
        return str(error)
    return None


def _threshold_refusal(value: Any) -> str | None:
    if isinstance(value, int | float) and value < LEAST_THRESHOLD and value != 0:
        return f"must be at least {LEAST_THRESHOLD}, or 0 for none, but is {value!r}"
    return _refusal("STALL_THRESHOLD", value, float)


def _listeners_refusal(value: Any) -> str | None:
    if not isinstance(value, list | tuple) or not all(isinstance(path, str) for path in value):
        return f"must be a list of dotted paths, but is {value!r}"
    try:
        for path in value:
            listener_class(path)
    except ConfigurationError as error:
        return str(error)
    return None


def _pings_refusal(value: Any) -> str | None:
    """Return what is wrong, without an address: whoever knows one can send pings."""
    if not isinstance(value, dict):
        return f"must be a dict of addresses by name of the task, but is a {type(value).__name__}"
    for name, address in value.items():
        try:
            registry.get(name)
        except UnknownTask as error:
            return f"has an {error}"
        if not _is_web_address(address):
            return f"needs an address that begins with http:// or https:// for the task {name!r}, and has another value"
    return None


def _is_web_address(value: object) -> bool:
    if not isinstance(value, str) or not value.isprintable() or " " in value:
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False


def _executors_refusal(value: Any) -> str | None:
    if not isinstance(value, dict):
        return f"must be a dict of executors by name, but is {value!r}"
    for name, configured in value.items():
        if not isinstance(name, str) or not name.strip() or name == LOCAL:
            return f"has {name!r}, which cannot be the name of an executor"
        if not isinstance(configured, dict) or not set(configured) <= {"BACKEND", "OPTIONS"}:
            return f"needs a dict of BACKEND and OPTIONS for {name!r}, and has {configured!r}"
        if not isinstance(configured.get("BACKEND", ""), str):
            return f"needs a dotted path as BACKEND of {name!r}, and has {configured['BACKEND']!r}"
        if not isinstance(configured.get("OPTIONS", {}), dict):
            return f"needs a dict as OPTIONS of {name!r}, and has {configured['OPTIONS']!r}"
    return None


def _tracing_refusal(value: Any) -> str | None:
    refusal = _refusal("TRACING", value, bool)
    if value is True and find_spec("opentelemetry") is None:
        return "needs OpenTelemetry: pip install 'asyncsched[otel]'"
    return refusal


_SPECIAL: dict[str, Callable[[Any], str | None]] = {
    "TIME_ZONE": _zone_refusal,
    "STALL_THRESHOLD": _threshold_refusal,
    "LISTENERS": _listeners_refusal,
    "PINGS": _pings_refusal,
    "TRACING": _tracing_refusal,
    "EXECUTORS": _executors_refusal,
}
