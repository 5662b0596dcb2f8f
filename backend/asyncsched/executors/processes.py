"""Runs in processes of this machine, for functions that compute: each has its own interpreter, and can be ended.

A process starts when one is needed, at most ``max_workers`` at once, sets Django up as this one did, and
performs one run after the other. What has had nothing to do for ``idle_seconds`` ends. A run that is
over its time, or cut off, takes its process with it: a SystemExit lets the function clean up for half a
second, then the process is killed, with all that it has started.

Nothing is imported again from the program that serves, nothing is forked from it, and no thread polls:
a process is asked, and answers, by a socket on the loop. Where this process dies, its processes end too.
"""

import asyncio
import math
import os
import sys
from asyncio import TimerHandle
from typing import Any, ClassVar

from asyncsched.engine.context import Run
from asyncsched.engine.runs import Outcome
from asyncsched.errors import ConfigurationError
from asyncsched.executors.child import Child
from asyncsched.executors.configured import Setup
from asyncsched.executors.order import Order
from asyncsched.registry import Task

IDLE_SECONDS = 300.0


class ProcessExecutor:
    """Hands each run to a process that nobody else uses meanwhile. OPTIONS: ``max_workers``, ``idle_seconds``."""

    outlives: ClassVar[bool] = False

    def __init__(self, setup: Setup) -> None:
        workers, self._idle_seconds = _checked(**setup.options)
        self._places = asyncio.Semaphore(workers)
        self._log_lines = setup.log_lines
        self._idle: dict[Child, TimerHandle] = {}  # the one that was busy last comes last
        self._ending: dict[Child, asyncio.Task[str | None]] = {}

    async def execute(self, task: Task, run: Run) -> Outcome:
        run.waiting_for = "free process"
        async with self._places:
            child = self._take_idle() or await Child.start()
            try:
                outcome = await child.get_ready()
                if outcome is None:
                    run.waiting_for = None
                    outcome = await child.perform(Order.of(task, run, log_lines=self._log_lines), run)
            except asyncio.CancelledError:
                run.stop()
                if log := await asyncio.shield(self._end(child)):
                    run.log.add(log, self._log_lines)
                raise
            self._give_back(child)
            return outcome

    async def close(self, patience: float) -> None:
        """End all processes, by force those that take more than *patience* seconds."""
        while child := self._take_idle():
            self._end(child)
        if self._ending:
            await asyncio.wait(self._ending.values(), timeout=patience)
            for child in self._ending:
                child.kill()
            await asyncio.gather(*self._ending.values())

    def _take_idle(self) -> Child | None:
        while self._idle:
            child, timer = self._idle.popitem()
            timer.cancel()
            if not child.is_gone:
                return child
            self._end(child)
        return None

    def _give_back(self, child: Child) -> None:
        if child.is_gone:
            self._end(child)
        else:
            self._idle[child] = asyncio.get_running_loop().call_later(self._idle_seconds, self._retire, child)

    def _retire(self, child: Child) -> None:
        del self._idle[child]
        self._end(child)

    def _end(self, child: Child) -> asyncio.Task[str | None]:
        ending = self._ending[child] = asyncio.create_task(child.end(), name="asyncsched process ends")
        ending.add_done_callback(lambda _: self._ending.pop(child))
        return ending


def _checked(*, max_workers: Any = None, idle_seconds: Any = IDLE_SECONDS, **unknown: Any) -> tuple[int, float]:
    """Return the options. Raises ConfigurationError naming one that cannot be, or what processes need besides."""
    if unknown:
        raise ConfigurationError(f"OPTIONS has {next(iter(unknown))!r}; known are 'max_workers' and 'idle_seconds'")
    if max_workers is None:
        max_workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if type(max_workers) is not int or max_workers < 1:
        raise ConfigurationError(f"OPTIONS['max_workers'] must be a whole number above 0, but is {max_workers!r}")
    if type(idle_seconds) not in (int, float) or not 0 <= idle_seconds < math.inf:
        raise ConfigurationError(f"OPTIONS['idle_seconds'] must be a number of seconds, but is {idle_seconds!r}")
    if not sys.executable or sys.platform == "win32":
        raise ConfigurationError("processes need a Python interpreter of their own, on Linux, macOS or another Unix")
    if "DJANGO_SETTINGS_MODULE" not in os.environ:
        raise ConfigurationError("processes find the settings by the environment's DJANGO_SETTINGS_MODULE: set it")
    return max_workers, idle_seconds
