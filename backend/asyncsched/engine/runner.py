"""One run: execute the function within its time limit and say, as a value, how it ended."""

import asyncio
import traceback as traceback_module
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from asyncsched.engine.boundary import Boundary
from asyncsched.engine.context import Health, ProgressListener, Run
from asyncsched.engine.ports import NOT_ENABLED, Clock, Executor
from asyncsched.engine.runs import Claim, RunResult, RunStatus, Stall
from asyncsched.registry import Task

MAX_TEXT = 2_000
MAX_TRACEBACK = 20_000

Report = Callable[[RunResult], None]


class Runner:
    """Runs claims, one at a time or side by side; it keeps the runs that are going on."""

    def __init__(
        self,
        clock: Clock,
        executor: Executor,
        *,
        health: Callable[[], Health] = Health,
        on_progress: ProgressListener | None = None,
        stall_of: Callable[[str], Stall | None] | None = None,
    ) -> None:
        self._clock = clock
        self._executor = executor
        self._health = health
        self._on_progress = on_progress
        self._stall_of = stall_of
        self._runs: set[Run] = set()
        self._stopping = False

    async def run(self, task: Task, claim: Claim, *, due_at: datetime, report: Report) -> None:
        """Run *task* for *claim* and hand the result to *report*, exactly once, also when cancelled."""
        run = Run(claim, health=self._health, on_progress=self._on_progress)
        timing = _Timing(self._clock, due_at)
        self._runs.add(run)
        if self._stopping:  # its claim was granted while the drain began
            run.stop()
        try:
            outcome = await self._outcome(task, run)
        except asyncio.CancelledError:
            what = f"while it waited for a {run.waiting_for}" if run.waiting_for else "before it had finished"
            report(self._with_stall(timing.result(claim, RunStatus.CANCELLED, error=f"cut off {what}")))
            raise
        finally:
            run.stop()
            self._runs.discard(run)
        report(self._with_stall(timing.result(claim, *outcome)))

    def ask_to_stop(self) -> None:
        """Set ``stopping`` on every run that is going on, and on those that still begin."""
        self._stopping = True
        for run in self._runs:
            run.stop()

    def _with_stall(self, result: RunResult) -> RunResult:
        stall = self._stall_of(result.claim.run_id) if self._stall_of else None
        return replace(result, stall=stall) if stall else result

    async def _outcome(self, task: Task, run: Run) -> tuple[RunStatus, Any]:
        """Return how the run ended, and the value or the error it ended with."""
        asyncio_task = asyncio.current_task()
        cancels = asyncio_task.cancelling() if asyncio_task else 0
        with Boundary() as boundary:
            try:
                async with asyncio.timeout(task.options.timeout) as limit:
                    value = await self._executor.execute(task, run)
            except TimeoutError:
                if limit.expired():
                    what = f"found no {run.waiting_for}" if run.waiting_for else "did not finish"
                    return RunStatus.TIMED_OUT, f"{what} within {task.options.timeout:g} s"
                raise
            except asyncio.CancelledError as error:
                if asyncio_task and asyncio_task.cancelling() > cancels:
                    raise
                # Nobody cancelled us: the function raised it, as some clients do when a connection dies.
                return RunStatus.FAILED, error
            except (KeyboardInterrupt, GeneratorExit) as error:
                if not _is_running(asyncio_task):
                    raise  # the interpreter closes this coroutine
                # Servers hear Ctrl-C by themselves; what a function raises must not end the server, or its schedule.
                return RunStatus.FAILED, error
            if value is NOT_ENABLED:
                return RunStatus.SKIPPED, None
            return RunStatus.SUCCEEDED, value
        return RunStatus.FAILED, boundary.error


def _is_running(task: asyncio.Task[Any] | None) -> bool:
    """True if it is *task* that calls this, False if somebody closes its coroutine."""
    try:
        return asyncio.current_task() is task
    except RuntimeError:  # no loop is running
        return False


class _Timing:
    """When a run was due, began and ended: wall time to show, monotonic time to measure."""

    __slots__ = ("_began", "_clock", "_due_at", "_started_at")

    def __init__(self, clock: Clock, due_at: datetime) -> None:
        self._clock = clock
        self._due_at = due_at
        self._started_at = clock.now()
        self._began = clock.monotonic()

    def result(self, claim: Claim, status: RunStatus, ended_with: Any = None, *, error: str | None = None) -> RunResult:
        raised = ended_with if isinstance(ended_with, BaseException) else None
        if error is None and status.is_failure:
            error = describe(raised) if raised else str(ended_with)
        return RunResult(
            claim=claim,
            status=status,
            started_at=self._started_at,
            finished_at=self._clock.now(),
            duration=self._clock.monotonic() - self._began,
            lateness=(self._started_at - self._due_at).total_seconds(),
            error=error,
            traceback=_traceback(raised) if raised else None,
            value=_as_text(ended_with) if status is RunStatus.SUCCEEDED else None,
        )


def describe(error: BaseException) -> str:
    """Return ``Type: message`` on one line, trimmed."""
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message}"[:MAX_TEXT] if message else type(error).__name__


def _traceback(error: BaseException) -> str:
    # The end names the line that raised; it is what must survive the trimming.
    return "".join(traceback_module.format_exception(error))[-MAX_TRACEBACK:]


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    with Boundary() as boundary:
        return str(value)[:MAX_TEXT]
    return f"<unprintable {type(value).__name__}: {describe(boundary.error)}>" if boundary.error else None
