"""Executors by the names that tasks give: those that come with asyncsched, and those of the settings."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from django.utils.module_loading import import_string

from asyncsched import conf
from asyncsched.engine.boundary import Boundary
from asyncsched.engine.ports import Executor
from asyncsched.engine.runner import describe
from asyncsched.errors import ConfigurationError
from asyncsched.policy import LOCAL, Scope
from asyncsched.registry import Task, where

BUILT_IN = {
    "celery": "asyncsched.executors.celery.CeleryExecutor",
    "tasks": "asyncsched.executors.django_tasks.DjangoTasksExecutor",
    "processes": "asyncsched.executors.processes.ProcessExecutor",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What an executor is made of."""

    name: str
    """As tasks call it."""
    replica: str
    """The process it is part of."""
    log_lines: int = 0
    """So many of the latest lines that a run writes to the log are kept; 0 keeps none."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The ``OPTIONS`` of the settings."""


class Maker(Protocol):
    """A class that ``BACKEND`` may name: called with a Setup it returns an Executor.

    It does no more than look at its options; a bad one is a ConfigurationError that names it.
    """

    outlives: ClassVar[bool]
    """True if runs go on when the scheduler's process ends; so it has to say of what it makes, too."""

    def __call__(self, setup: Setup) -> Executor: ...


def made(tasks: Iterable[Task], settings: conf.Settings, replica: str) -> dict[str, Executor]:
    """Return the executors that *tasks* name, but LOCAL; raise ConfigurationError naming what is wrong."""
    found: dict[str, Executor] = {}
    for task in tasks:
        name = task.options.executor
        if name != LOCAL and name not in found:
            found[name] = _make(task, settings, replica)
    return found


def problems(tasks: Iterable[Task], settings: conf.Settings) -> Iterator[str]:
    """Yield what keeps each of *tasks* from being handed off, in a sentence that names it."""
    for task in tasks:
        if task.options.executor != LOCAL:
            try:
                _make(task, settings, "")
            except ConfigurationError as error:
                yield str(error)


def load(tasks: Iterable[Task]) -> None:
    """Import the modules of the executors that *tasks* name, for workers to find there what they are sent.

    What is wrong there, or with the settings, is left for the checks to tell.
    """
    names = {task.options.executor for task in tasks} - {LOCAL}
    if not names or conf.problems():
        return
    settings = conf.load()
    for name in sorted(names):
        path, _ = _backend(name, settings)
        with Boundary():
            import_string(path or "")


def _backend(name: str, settings: conf.Settings) -> tuple[str | None, Mapping[str, Any]]:
    """Return dotted path, None if *name* is not known, and options."""
    configured = (settings.executors or {}).get(name, {})
    return configured.get("BACKEND") or BUILT_IN.get(name), configured.get("OPTIONS", {})


def _make(task: Task, settings: conf.Settings, replica: str) -> Executor:
    name = task.options.executor
    said_by = f"task {task.name!r} at {where(task.function)}: executor={name!r}"
    path, options = _backend(name, settings)
    if path is None:
        raise ConfigurationError(f"{said_by} is not known{_suggestion(name, settings)}")
    setup = Setup(name=name, replica=replica, log_lines=settings.log_lines, options=options)
    with Boundary() as boundary:  # it is imported, and that may run anything
        maker: Maker = import_string(path)
        executor = maker(setup)
    if boundary.error is not None:
        reason = str(boundary.error) if isinstance(boundary.error, ConfigurationError) else describe(boundary.error)
        raise ConfigurationError(f"{said_by} cannot be used: {reason}")
    if maker.outlives and task.options.scope is Scope.REPLICA:
        raise ConfigurationError(f"{said_by} is for scope='cluster' only: its runs are not those of one process")
    return executor


def _suggestion(name: str, settings: conf.Settings) -> str:
    known = sorted({LOCAL, *BUILT_IN, *(settings.executors or ())})
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else f"; known are {', '.join(known)}"
