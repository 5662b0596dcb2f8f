"""Where functions run: ``async def`` on the loop, ``def`` in threads of our own."""

import asyncio
import contextvars
import inspect
import logging
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from typing import Any

from asyncsched.engine.context import Run, entered
from asyncsched.engine.ports import NOT_ENABLED
from asyncsched.registry import Task

logger = logging.getLogger("asyncsched.executor")


class LocalExecutor:
    """Runs tasks in this process.

    A sync run gets a thread of its own, at most *threads* at once. Threads are not pooled: a run
    that hangs can then be left behind without taking a worker of the pool, or the exit of the
    process, with it. Up to *threads* such threads are written off; beyond that the hanging ones
    count as taken, so that their number stays bounded.

    *sync_scope* and *async_scope* are entered around each run, in its thread or on the loop.
    """

    def __init__(
        self,
        threads: int,
        *,
        sync_scope: Callable[[], AbstractContextManager[object]] = nullcontext,
        async_scope: Callable[[], AbstractAsyncContextManager[object]] = nullcontext,
    ) -> None:
        self._slots = asyncio.Semaphore(threads)
        self._write_offs = threads
        self._sync_scope = sync_scope
        self._async_scope = async_scope

    async def execute(self, task: Task, run: Run) -> Any:
        if not task.is_async:
            return await self._execute_in_thread(task, run)
        predicate = task.options.enabled_when
        with entered(run):
            async with self._async_scope():
                if predicate is not None:
                    enabled = predicate()
                    if not (await enabled if inspect.isawaitable(enabled) else enabled):
                        return NOT_ENABLED
                return await task.function()

    async def _execute_in_thread(self, task: Task, run: Run) -> Any:
        await self._slots.acquire()
        thread = _RunThread(task, run, scope=self._sync_scope, on_exit=self._slots.release)
        thread.start()
        try:
            return await thread.outcome
        except asyncio.CancelledError:
            run.stop()
            if self._write_offs and thread.write_off():
                self._write_offs -= 1
                logger.warning(
                    "%s: its thread does not end and is written off (%d more may be)",
                    task.name,
                    self._write_offs,
                    extra={"action": "thread_written_off", "task": task.name},
                )
                self._slots.release()
            raise


class _RunThread(threading.Thread):
    """One sync run. Daemonic, because a function that never returns must not keep the process alive."""

    def __init__(
        self,
        task: Task,
        run: Run,
        *,
        scope: Callable[[], AbstractContextManager[object]],
        on_exit: Callable[[], None],
    ) -> None:
        super().__init__(name=f"asyncsched-{task.name}", daemon=True)
        self._task = task
        self._current_run = run
        self._scope = scope
        self._on_exit = on_exit
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        self._written_off = False
        self.outcome: asyncio.Future[Any] = self._loop.create_future()

    def write_off(self) -> bool:
        """Give up on the thread; return False if it has ended already. Call it on the loop."""
        self._written_off = self.is_alive()
        return self._written_off

    def run(self) -> None:
        value: Any = None
        error: BaseException | None = None
        try:
            value = self._context.run(self._call)
        except BaseException as raised:  # noqa: BLE001 - carried to the coroutine that awaits it
            error = raised
        try:
            self._loop.call_soon_threadsafe(self._deliver, value, error)
        except RuntimeError:
            logger.warning("%s: ended after the server had stopped", self._task.name)

    def _call(self) -> Any:
        with entered(self._current_run), self._scope():
            predicate = self._task.options.enabled_when
            if predicate is not None and not predicate():
                return NOT_ENABLED
            return self._task.function()

    def _deliver(self, value: Any, error: BaseException | None) -> None:
        if not self._written_off:
            self._on_exit()
        if self.outcome.done():
            return
        if error is None:
            self.outcome.set_result(value)
        elif isinstance(error, StopIteration):
            self.outcome.set_exception(RuntimeError(f"the task raised {error!r}"))  # futures refuse StopIteration
        else:
            self.outcome.set_exception(error)
