"""An event loop for which time passes at once, and stands still while plain functions run."""

import asyncio
import selectors
from asyncio import _set_running_loop
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

from asyncsched.engine.boundary import Boundary

RESOLUTION = 1_000_000  # to the second: time is whole microseconds, as datetimes are

OnJump = Callable[[int], None]
Value = TypeVar("Value")
Arguments = TypeVarTuple("Arguments")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop that does not wait for its next timer: its time jumps there, and *on_jump* is told how far.

    Plain functions that are handed to a thread (``run_in_executor``, ``asyncio.to_thread``,
    ``sync_to_async``) are called in the loop's own thread instead, one at a time, and with no loop
    marked as running: for them it is as if there was none. So they see the thread's database
    connections, and no time passes while they run.
    """

    def __init__(self, on_jump: OnJump) -> None:
        self._jumps = _Jumps(on_jump, self.stop)
        self._calling = False
        super().__init__(self._jumps)
        # Timers that are due in less than the shortest possible jump are due now.
        self._clock_resolution = 1 / RESOLUTION

    def time(self) -> float:
        return self._jumps.now / RESOLUTION

    def run_for(self, microseconds: int) -> None:
        """Let as much time pass, and do all that comes due up to and including its end."""
        self._jumps.limit = self._jumps.now + microseconds
        try:
            self.run_forever()
        finally:
            self._jumps.limit = None

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Arguments], Value], *args: *Arguments
    ) -> asyncio.Future[Value]:
        future: asyncio.Future[Value] = self.create_future()
        # From a callback, not from here: there is no current task either while the function runs.
        self.call_soon(self._call, future, func, args)
        return future

    def call_soon_threadsafe(
        self, callback: Callable[[*Arguments], object], *args: *Arguments, context: Context | None = None
    ) -> asyncio.Handle:
        hands_over_coroutine: Any = self.create_task
        if self._calling and callback == hands_over_coroutine:
            # asgiref's async_to_sync, in a plain function, would wait for us for ever. After this it uses a new loop.
            raise RuntimeError("the loop stands still while a plain function runs")
        return super().call_soon_threadsafe(callback, *args, context=context)

    def _call(self, future: asyncio.Future[Any], func: Callable[..., Any], args: tuple[Any, ...]) -> None:
        if future.cancelled():
            return
        value: Any = None
        cancelled: asyncio.CancelledError | None = None
        self._calling = True
        _set_running_loop(None)
        try:
            with Boundary() as boundary:
                value = func(*args)
        except asyncio.CancelledError as raised:
            cancelled = raised
        finally:
            _set_running_loop(self)
            self._calling = False
        error = cancelled or boundary.error
        if isinstance(error, StopIteration):
            error = RuntimeError(f"the function raised {error!r}")  # futures refuse it as it is
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)


class _Jumps(selectors.DefaultSelector):
    """Never waits: looks what has happened, and if it is nothing, lets the time jump to the end of the wait."""

    def __init__(self, on_jump: OnJump, on_limit: Callable[[], None]) -> None:
        super().__init__()
        self.now = 0
        self.limit: int | None = None
        """Time must not pass beyond it."""
        self._on_jump = on_jump
        self._on_limit = on_limit

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        jump = None if timeout is None else round(timeout * RESOLUTION)
        if self.limit is not None and (jump is None or self.now + jump > self.limit):
            jump = self.limit - self.now
            self._on_limit()
        elif jump is None:
            return super().select(None)  # nothing is ever due: only another thread can have something to say
        self.now += jump
        self._on_jump(jump)
        return ready
