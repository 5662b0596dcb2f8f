"""Which tasks and services exist. The only module-level mutable of the package is here."""

import difflib
import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar

from asyncsched import policy
from asyncsched.errors import DuplicateName, RegistrationError, UnknownTask
from asyncsched.schedules import Schedule

MAX_NAME_LENGTH = 100
OWN = "asyncsched."

Function = TypeVar("Function", bound=Callable[[], Any])
ServiceFunction = TypeVar("ServiceFunction", bound=Callable[[], Awaitable[None]])
Choice = TypeVar("Choice", policy.Overlap, policy.CatchUp, policy.History, policy.Scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One registered function with its schedule and options."""

    name: str
    function: Callable[[], Any]
    schedule: Schedule
    options: policy.Options
    is_async: bool

    @property
    def kind(self) -> str:
        """``async`` if it runs on the event loop, ``sync`` if in the scheduler's threads."""
        return "async" if self.is_async else "sync"

    @property
    def is_own(self) -> bool:
        """True for what the scheduler does for itself, such as pruning its history."""
        return self.name.startswith(OWN)

    @property
    def is_claimed(self) -> bool:
        """True if each occurrence is claimed by a row before it runs.

        Sub-minute ones cost no row, unless missed ones are to be caught up on: without the rows
        nobody could tell after a crash which had run. What runs elsewhere has one to be found by.
        """
        options = self.options
        is_free = options.catch_up is policy.CatchUp.NONE and options.executor == policy.LOCAL
        return not (self.schedule.is_subminute and is_free)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A coroutine that should always be running, such as a connection; restarted when it ends."""

    name: str
    function: Callable[[], Awaitable[None]]
    enabled_when: Callable[[], bool] | None = None


class Registry:
    """Tasks and services by name, in the order of registration."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}
        self._services: dict[str, Service] = {}

    def __iter__(self) -> Iterator[Task]:
        return iter(tuple(self._tasks.values()))

    @property
    def services(self) -> tuple[Service, ...]:
        return tuple(self._services.values())

    def add(self, task: Task) -> None:
        """Add *task*; raise DuplicateName if its name is taken by another function."""
        self._refuse_duplicate(task.name, task.function)
        self._tasks[task.name] = task

    def add_service(self, service: Service) -> None:
        """Add *service*; raise DuplicateName if its name is taken by another function."""
        self._refuse_duplicate(service.name, service.function)
        self._services[service.name] = service

    def get(self, name: str) -> Task:
        """Return the task called *name*; raise UnknownTask, with the likely spelling, if there is none."""
        try:
            return self._tasks[name]
        except KeyError:
            raise unknown(name, self._tasks) from None

    def _refuse_duplicate(self, name: str, function: Callable[..., Any]) -> None:
        taken = self._tasks.get(name) or self._services.get(name)
        if taken and (taken.function.__module__, taken.function.__qualname__) != (
            function.__module__,
            function.__qualname__,
        ):
            raise DuplicateName(
                f"{name!r} is registered twice, at {where(taken.function)} and at {where(function)}: rename one of them"
            )


def unknown(name: str, known: Iterable[str]) -> UnknownTask:
    """Return the error for a *name* that is none of those *known*, with the likely spelling."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known are: {', '.join(known) or 'none'}"
    return UnknownTask(f"unknown task {name!r}: {hint}")


registry = Registry()


def register(
    name: str,
    schedule: Schedule,
    *,
    description: str = "",
    enabled: bool = True,
    enabled_when: policy.Predicate | None = None,
    overlap: policy.Overlap | str = policy.Overlap.SKIP,
    concurrency: int = 4,
    catch_up: policy.CatchUp | str | None = None,
    catch_up_window: timedelta = timedelta(days=1),
    timeout: float | None = None,
    retry: policy.Retry | None = None,
    suspend_after: int | None = None,
    suspend_for: float = 300.0,
    history: policy.History | str | None = None,
    scope: policy.Scope | str = policy.Scope.CLUSTER,
    run_on_start: bool = False,
    rerun_abandoned: bool = False,
    alert_after: float | None = None,
    executor: str = policy.LOCAL,
) -> Callable[[Function], Function]:
    """Run the decorated function, which takes no arguments, on *schedule*. It stays directly callable.

    An ``async def`` runs on the server's event loop; a plain ``def`` in the scheduler's own threads,
    with fresh database connections.

    Args:
        name: unique; how commands, pages and history call the task.
        description: one line for people; by default the first line of the docstring.
        enabled: False keeps the task listed but never runs it on schedule.
        enabled_when: asked before each run; if it returns False the run is ``skipped``. It may be
            async only if the function is.
        overlap: ``skip`` (default), ``queue`` or ``allow``: see ``policy.Overlap``.
        concurrency: with ``overlap="allow"``, how many runs may go on at once.
        catch_up: ``once``, ``all`` or ``none``: see ``policy.CatchUp``. By default ``once``, but
            ``none`` for schedules below a minute.
        catch_up_window: how old a missed occurrence may be and still run.
        timeout: seconds after which a run is ended and recorded as ``timed_out``; None for no limit.
        retry: see ``policy.Retry``; by default a failed run waits for the next occurrence.
        suspend_after: after that many failures in a row the task rests for *suspend_for* seconds
            (doubling, at most an hour) before it is tried again. None: it never rests.
        history: ``all``, ``summary``, ``failures`` or ``none``: see ``policy.History``. By default
            ``all``, but ``summary`` for schedules below a minute. From a minute up the claim is a
            row, so every run has one.
        scope: ``cluster`` for one run per occurrence, ``replica`` for one in every process.
        run_on_start: run once as soon as the scheduler starts, besides the schedule; with scope
            ``cluster`` in a process that leads within a minute of its start.
        rerun_abandoned: if the process dies in the middle of a run, the next that leads runs the
            occurrence again, at most twice. For tasks that may safely do things twice.
        alert_after: seconds after an occurrence by which the task must have succeeded, or an alert is
            raised. None: as long as its period, but 5 minutes to an hour, and enough for the timeout
            and retries. ``float("inf")``: it raises none.
        executor: where the function runs: ``local``, in the scheduler's process, or the name of an executor
            to which each run is handed off: ``celery``, ``tasks`` (Django's), ``processes``, or a key of
            ``ASYNCSCHED["EXECUTORS"]``. Each run then has a row, as from a minute up.

    Raises:
        RegistrationError: at import, naming the file, if the options contradict each other.
    """

    def decorate(function: Function) -> Function:
        try:
            is_async = _checked_kind(name, function, schedule, enabled_when)
            options = policy.Options(
                description=description or _first_line(function),
                enabled=enabled,
                enabled_when=enabled_when,
                overlap=_choice(policy.Overlap, "overlap", overlap),
                concurrency=concurrency,
                catch_up=_choice(policy.CatchUp, "catch_up", catch_up or policy.default_catch_up(schedule)),
                catch_up_window=catch_up_window,
                timeout=timeout,
                retry=retry or policy.Retry(),
                suspend_after=suspend_after,
                suspend_for=suspend_for,
                history=_choice(policy.History, "history", history or policy.default_history(schedule)),
                scope=_choice(policy.Scope, "scope", scope),
                run_on_start=run_on_start,
                rerun_abandoned=rerun_abandoned,
                alert_after=alert_after,
                executor=executor,
            )
        except RegistrationError as error:
            raise RegistrationError(f"task {name!r} at {where(function)}: {error}") from None
        registry.add(Task(name=name, function=function, schedule=schedule, options=options, is_async=is_async))
        return function

    return decorate


def service(
    name: str, *, enabled_when: Callable[[], bool] | None = None
) -> Callable[[ServiceFunction], ServiceFunction]:
    """Keep the decorated coroutine function running beside the schedules, for as long as the server runs.

    It is started with the scheduler, restarted with growing delays when it raises or returns, and
    cancelled when the server drains. *enabled_when* is asked once, at the start.

    Raises:
        RegistrationError: at import, naming the file, if the function is not ``async def``.
    """

    def decorate(function: ServiceFunction) -> ServiceFunction:
        is_async = inspect.iscoroutinefunction(function)
        if not is_async:
            raise RegistrationError(f"service {name!r} at {where(function)}: must be an 'async def'")
        _check_name(name)
        registry.add_service(Service(name=name, function=function, enabled_when=enabled_when))
        return function

    return decorate


def where(function: Callable[..., Any]) -> str:
    """Return where *function* is defined, as ``place`` shows it."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return repr(function)
    return place(code.co_filename, code.co_firstlineno, function.__qualname__)


def place(filename: str, line: int, function_name: str) -> str:
    """Return ``path/to/tasks.py:12 (function_name)``, the path relative to the working directory if below it."""
    path = Path(filename)
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return f"{shown}:{line} ({function_name})"


def _checked_kind(
    name: str, function: Callable[..., Any], schedule: object, enabled_when: policy.Predicate | None
) -> bool:
    """Return whether *function* is async; raise RegistrationError for what cannot work."""
    _check_name(name)
    if not isinstance(schedule, Schedule):
        raise RegistrationError(f"schedule={schedule!r}: must be an Every, a DailyAt or a Cron")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise RegistrationError("a generator cannot be scheduled: use a plain 'def' or an 'async def'")
    if required := _required(function):
        raise RegistrationError(f"a task is called without arguments, but this needs {', '.join(required)}")
    is_async = inspect.iscoroutinefunction(function)
    if enabled_when is not None and inspect.iscoroutinefunction(enabled_when) and not is_async:
        raise RegistrationError(
            "enabled_when is async but the task is sync and runs in a thread: make both async, or both plain"
        )
    return is_async


def _required(function: Callable[..., Any]) -> list[str]:
    """Return the names of the arguments that *function* cannot be called without."""
    code = function.__code__ if isinstance(function, FunctionType) and not hasattr(function, "__wrapped__") else None
    if code and not code.co_argcount and not code.co_kwonlyargcount:
        return []  # a signature takes as long as all the rest of registering
    return [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]


def _check_name(name: object) -> None:
    # It stands in addresses, lines of a log and cells of a table.
    if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise RegistrationError(f"name={name!r}: must be text of 1 to {MAX_NAME_LENGTH} characters, on one line")


def _choice(kind: type[Choice], name: str, value: str) -> Choice:
    try:
        return kind(value)
    except ValueError:
        raise RegistrationError(f"{name}={value!r}: must be one of {', '.join(kind)}") from None


def _first_line(function: Callable[..., Any]) -> str:
    return inspect.cleandoc(function.__doc__ or "").partition("\n")[0]
