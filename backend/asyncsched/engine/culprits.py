"""On whose behalf the event loop works at a moment: a run, a service, a request, or what else it is."""

import asyncio
from collections.abc import Callable
from contextvars import Context, ContextVar
from dataclasses import dataclass

from asyncsched.engine.context import run_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Culprit:
    """Who it is, for people, and if it is a run or a service, for the records."""

    name: str
    task: str | None = None
    run_id: str | None = None


_origin: ContextVar[Callable[[], Culprit]] = ContextVar("asyncsched_origin")


def work_for(describe: Callable[[], Culprit]) -> None:
    """What the current coroutine does from now on, and what it starts, is done for whom *describe* returns.

    *describe* is called only if somebody asks, from another thread. There is no way back: a server
    gives each request, and a keeper each service, a coroutine of its own, and with it a context.
    """
    _origin.set(describe)


def culprit_of(context: Context | None, task: asyncio.Task[object] | None, *, callback: str) -> Culprit:
    """Return for whom a callback works that runs in *context*, as a step of *task* unless that is None.

    What a run, a service or a request starts, such as tasks and timers, inherits its context and so
    counts as its own. Failing that it is *task* by its name, or the callback called *callback*.
    """
    if context is not None:
        run = run_in(context)
        if run is not None:
            return Culprit(name=f"task {run.task}", task=run.task, run_id=run.id)
        describe = context.get(_origin)
        if describe is not None:
            return describe()
    if task is not None:
        return Culprit(name=f"asyncio task {task.get_name()!r} ({_coroutine_name(task)})")
    return Culprit(name=f"callback {callback}")


def _coroutine_name(task: asyncio.Task[object]) -> str:
    coroutine = task.get_coro()
    return getattr(coroutine, "__qualname__", None) or type(coroutine).__name__
