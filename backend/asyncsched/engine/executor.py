"""Where functions run: ``async def`` on the loop, ``def`` in threads of our own."""

import asyncio
import contextvars
import inspect
import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from asyncsched.engine import stacks
from asyncsched.engine.context import Run
from asyncsched.engine.ports import NOT_ENABLED
from asyncsched.errors import StillRunning
from asyncsched.policy import Overlap
from asyncsched.registry import Task

logger = logging.getLogger("asyncsched.executor")

NOTHING = nullcontext()


class LocalExecutor:
    """Runs tasks in this process.

    A sync run gets a thread of its own, at most *threads* at once. Threads are not pooled: a run
    that hangs can then be left behind without taking a worker of the pool, or the exit of the
    process, with it. Up to *threads* such threads are written off at any time; beyond that the
    hanging ones count as taken, so that their number stays bounded. While one hangs, its task does
    not run again, unless its runs may overlap: one bad task costs one thread, however often it is due.

    *sync_scope* and *async_scope* are made and entered around each run, in its thread or on the loop;
    *during*, which has to bear that it is entered many times at once, on the loop around each of both kinds.
    """

    def __init__(
        self,
        threads: int,
        *,
        sync_scope: Callable[[], AbstractContextManager[object]] = nullcontext,
        async_scope: Callable[[], AbstractContextManager[object]] = nullcontext,
        during: AbstractContextManager[object] = NOTHING,
    ) -> None:
        self._slots = asyncio.Semaphore(threads)
        self._most_written_off = threads
        self._left: set[_RunThread] = set()  # over their time, and going on
        self._written_off: set[_RunThread] = set()  # those of them that gave their place back
        self._sync_scope = sync_scope
        self._async_scope = async_scope
        self._during = during

    async def execute(self, task: Task, run: Run) -> Any:
        if not task.is_async:
            with self._during:
                return await self._execute_in_thread(task, run)
        predicate = task.options.enabled_when
        with self._during, self._async_scope():
            if predicate is not None:
                enabled = predicate()
                if not (await enabled if inspect.isawaitable(enabled) else enabled):
                    return NOT_ENABLED
            return await task.function()

    async def close(self, patience: float) -> None:
        """Nothing is held: a thread that goes on has been left behind."""

    async def _execute_in_thread(self, task: Task, run: Run) -> Any:
        if task.options.overlap is not Overlap.ALLOW and any(left.task == task.name for left in self._left):
            raise StillRunning("an earlier run is over its time and its thread has not ended yet")
        run.waiting_for = "free thread"
        await self._slots.acquire()
        run.waiting_for = None
        thread = _RunThread(task, run, scope=self._sync_scope, on_exit=self._thread_ended)
        try:
            thread.start()
        except RuntimeError:  # the system is out of threads, or of memory
            self._slots.release()
            raise
        try:
            return await thread.outcome
        except asyncio.CancelledError:
            run.stop()
            self._leave_behind(thread)
            raise

    def _leave_behind(self, thread: "_RunThread") -> None:
        if thread.ended:
            return
        self._left.add(thread)
        if len(self._written_off) == self._most_written_off:
            fate, action = "keeps its place: no more may be written off", "thread_kept"
        else:
            self._written_off.add(thread)
            self._slots.release()
            more = self._most_written_off - len(self._written_off)
            fate, action = f"is written off ({more} more may be)", "thread_written_off"
        logger.warning(
            "%s: its thread does not end and %s; it hangs at %s",
            thread.task,
            fate,
            stacks.where_thread_is(thread.ident),
            extra={"action": action, "task": thread.task, "run": thread.run_id},
        )

    def _thread_ended(self, thread: "_RunThread") -> None:
        self._left.discard(thread)
        if thread in self._written_off:
            self._written_off.discard(thread)
        else:
            self._slots.release()


class _RunThread(threading.Thread):
    """One sync run. Daemonic, because a function that never returns must not keep the process alive."""

    def __init__(
        self,
        task: Task,
        run: Run,
        *,
        scope: Callable[[], AbstractContextManager[object]],
        on_exit: Callable[["_RunThread"], None],
    ) -> None:
        super().__init__(name=f"asyncsched-{task.name}", daemon=True)
        self.task = task.name
        self.run_id = run.id
        self._function = task.function
        self._predicate = task.options.enabled_when
        self._scope = scope
        self._on_exit = on_exit
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        self.ended = False
        """True once the loop knows that the function is through, which may be a moment later."""
        self.outcome: asyncio.Future[Any] = self._loop.create_future()

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
            extra = {"action": "ended_late", "task": self.task, "run": self.run_id}
            logger.warning("%s: ended after the server had stopped", self.task, extra=extra)

    def _call(self) -> Any:
        with self._scope():
            if self._predicate is not None and not plain(self._predicate()):
                return NOT_ENABLED
            return plain(self._function())

    def _deliver(self, value: Any, error: BaseException | None) -> None:
        self.ended = True
        self._on_exit(self)
        if self.outcome.done():
            return
        if error is None:
            self.outcome.set_result(value)
        elif isinstance(error, StopIteration | GeneratorExit):
            # Futures take no StopIteration, and a GeneratorExit would close the coroutine that awaits this one.
            carrier = RuntimeError(f"the task raised {error!r}")
            carrier.__cause__ = error
            self.outcome.set_exception(carrier)
        else:
            self.outcome.set_exception(error)


def plain(value: Any) -> Any:
    """Return what a plain function returned; a coroutine would never run."""
    if inspect.iscoroutine(value):
        value.close()
        raise TypeError("a plain function returned a coroutine: register the 'async def' itself")
    return value
