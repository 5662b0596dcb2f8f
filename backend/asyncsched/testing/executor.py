"""Where functions run in virtual time: all of them in the thread of the test."""

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from asyncsched.engine.context import Run
from asyncsched.engine.executor import LocalExecutor
from asyncsched.registry import Task


class InlineExecutor:
    """Runs async tasks as production does, and calls sync ones on the loop's own thread.

    A sync task takes no virtual time, whatever it does, and so it can neither overlap nor time out.
    """

    def __init__(self) -> None:
        self._local = LocalExecutor(threads=1)

    async def execute(self, task: Task, run: Run) -> Any:
        return await self._local.execute(task if task.is_async else _as_async(task), run)

    async def close(self, patience: float) -> None:
        """Nothing is held."""


def _as_async(task: Task) -> Task:
    predicate = task.options.enabled_when
    return replace(
        task,
        function=_awaitable(task.function),
        options=replace(task.options, enabled_when=predicate and _awaitable(predicate)),
        is_async=True,
    )


def _awaitable(function: Callable[[], Any]) -> Callable[[], Any]:
    def call() -> Any:
        value = function()
        if inspect.iscoroutine(value):
            value.close()
            raise TypeError("a plain function returned a coroutine: register the 'async def' itself")
        return value

    return lambda: asyncio.get_running_loop().run_in_executor(None, call)
