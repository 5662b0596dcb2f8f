"""Waiting, and time limits, for very many coroutines at once.

A timer of the event loop is an object that is compared in Python. With thousands of them that is
most of what waiting costs, so all schedules share one; and a run that is over by the time the loop
comes round needs none for its limit.
"""

import asyncio
import itertools
from collections.abc import Callable
from contextvars import Context
from heapq import heapify, heappop, heappush
from typing import Any

FEW = 64
AT_ONCE = 100  # a few milliseconds' worth: then whatever else the loop has to do has its turn


class SharedTimer:
    """Wakes any number of waiters by one timer of the loop that runs when it is made."""

    __slots__ = ("_armed_for", "_context", "_handle", "_loop", "_most", "_numbers", "_waiting")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._context = Context()  # not that of the schedule which happens to come first
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []  # a heap; those that are done are dropped
        self._numbers = itertools.count()
        self._most = FEW
        self._handle: asyncio.TimerHandle | None = None
        self._armed_for = 0.0

    def waiter(self) -> asyncio.Future[None]:
        """Return what one can wait for."""
        return self._loop.create_future()

    def wake(self, waiter: asyncio.Future[None], seconds: float) -> None:
        """Set the result of *waiter* in so many *seconds*, unless it is done by then."""
        when = self._loop.time() + seconds
        heappush(self._waiting, (when, next(self._numbers), waiter))
        if self._handle is None or when < self._armed_for:
            self._arm()
        if len(self._waiting) > self._most:
            self._tidy()

    def stop(self) -> None:
        """Wake nobody any more."""
        self._waiting.clear()
        if self._handle is not None:
            self._handle.cancel()

    def _arm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._armed_for = self._waiting[0][0]
        self._handle = self._loop.call_at(self._armed_for, self._ring, context=self._context)

    def _ring(self) -> None:
        waiting, now = self._waiting, max(self._loop.time(), self._armed_for)
        for _ in range(AT_ONCE):
            if not waiting or waiting[0][0] > now:
                break
            waiter = heappop(waiting)[2]
            if not waiter.done():
                waiter.set_result(None)
        self._handle = None
        if waiting:
            self._arm()

    def _tidy(self) -> None:
        """Forget those that were woken before their time, as soon as they may be most of all."""
        self._waiting = [entry for entry in self._waiting if not entry[2].done()]
        heapify(self._waiting)
        self._most = max(FEW, 2 * len(self._waiting))


class TimeLimits:
    """Cancels what is over its time."""

    __slots__ = ("_context", "_new")

    def __init__(self) -> None:
        self._context = Context()
        self._new: list[TimeLimit] = []

    def begin(self, task: asyncio.Task[Any], seconds: float) -> "TimeLimit":
        """Give *task* so many *seconds* from now, until the limit's ``end``."""
        loop = task.get_loop()
        limit = TimeLimit(task, loop.time() + seconds)
        self._new.append(limit)
        if len(self._new) == 1:
            loop.call_soon(self._come_round, loop, context=self._context)
        return limit

    def _come_round(self, loop: asyncio.AbstractEventLoop) -> None:
        for limit in self._new:
            limit.start(loop.call_at, self._context)
        self._new.clear()


class TimeLimit:
    """The time limit of one run. Like ``asyncio.timeout`` it cancels the task, and takes that back at its end."""

    __slots__ = ("_deadline", "_handle", "_is_over", "_task", "expired")

    def __init__(self, task: asyncio.Task[Any], deadline: float) -> None:
        self._task = task
        self._deadline = deadline
        self._handle: asyncio.TimerHandle | None = None
        self._is_over = False
        self.expired = False

    def start(self, call_at: Callable[..., asyncio.TimerHandle], context: Context) -> None:
        if not self._is_over:
            self._handle = call_at(self._deadline, self._expire, context=context)

    def end(self) -> None:
        """Cancel nothing any more, and take back what was cancelled. May be called twice."""
        if self._is_over:
            return
        self._is_over = True
        if self._handle is not None:
            self._handle.cancel()
        if self.expired:
            self._task.uncancel()

    def _expire(self) -> None:
        self.expired = True
        self._task.cancel()
