"""One run: execute the function within its time limit and say, as a value, how it ended."""

import asyncio
import traceback as traceback_module
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from asyncsched.engine.boundary import Boundary
from asyncsched.engine.context import Entered, Health, ProgressListener, Run
from asyncsched.engine.ports import LEFT, Clock, Executor, Left, NotEnabled
from asyncsched.engine.runs import Claim, Outcome, RunResult, RunStatus, Stall
from asyncsched.engine.timers import TimeLimits
from asyncsched.registry import Task

SAYINGS = frozenset({NotEnabled, Left, Outcome})
SUCCEEDED, RUNNING = RunStatus.SUCCEEDED, RunStatus.RUNNING
MAX_TEXT = 2_000
MAX_TRACEBACK = 20_000

Report = Callable[[RunResult], None]
OnLeft = Callable[[Claim], None]


def _forget(claim: Claim) -> None:
    """Who attends to the run from now on tells of it."""


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
        self._limits = TimeLimits()
        self._loop: asyncio.AbstractEventLoop | None = None  # asking for it is a system call on Python 3.11
        self._going: set[_Going] = set()  # those whose result has not been handed over
        self._stopping = False

    async def run(
        self, task: Task, claim: Claim, *, due_at: datetime, report: Report, on_left: OnLeft = _forget
    ) -> None:
        """Run *task* for *claim* and hand the result to *report*, exactly once, also when cancelled.

        But if the run goes on elsewhere and another process attends to it, call *on_left* instead; and if
        it goes on when ``ask_to_stop`` ends this process's part in it, call neither.
        """
        run = Run(claim, health=self._health, on_progress=self._on_progress)
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        going = _Going(run, claim, due_at, report, asyncio.current_task(self._loop), self._clock)
        self._going.add(going)
        if self._stopping:  # its claim was granted while the drain began
            run.leave()
        try:
            with Entered(run):
                outcome = await self._outcome(task, run, going.asyncio_task)
            if outcome[0] is RUNNING:
                on_left(claim)
            else:
                self._report(going, *outcome)
        except asyncio.CancelledError:
            if run.is_left:
                raise
            what = f"while it waited for a {run.waiting_for}" if run.waiting_for else "before it had finished"
            self._report(going, RunStatus.CANCELLED, error=f"cut off {what}")
            raise
        finally:
            run.stop()
            self._going.discard(going)

    def ask_to_stop(self) -> None:
        """Set ``stopping`` on every run that is going on.

        What still waits for a thread does not begin, and what goes on elsewhere is left to whoever leads next.
        """
        self._stopping = True
        for going in self._going:
            run = going.run
            run.leave()
            if (run.waiting_for or run.outlives) and going.asyncio_task:
                going.asyncio_task.cancel()

    def give_up(self) -> None:
        """Report the runs that refuse to end, as what they are: nobody will learn any more how they end."""
        for going in tuple(going for going in self._going if not going.run.is_left):
            self._report(going, RunStatus.CANCELLED, error="refused to be cut off, left behind")

    def _report(self, going: "_Going", status: RunStatus, ended_with: Any = None, *, error: str | None = None) -> None:
        """Hand the result over, unless the run was given up before."""
        if going not in self._going:
            return
        self._going.discard(going)
        stall = self._stall_of(going.run.id) if self._stall_of else None
        going.report(going.result(self._clock, status, ended_with, error=error, stall=stall))

    async def _outcome(self, task: Task, run: Run, asyncio_task: asyncio.Task[Any] | None) -> tuple[RunStatus, Any]:
        """Return how the run ended, and the value or the error it ended with."""
        cancels = asyncio_task.cancelling() if asyncio_task else 0
        timeout = task.options.timeout
        limit = self._limits.begin(asyncio_task, timeout) if timeout and asyncio_task else None
        with Boundary() as boundary:
            try:
                value = await self._executor.execute(task, run)
            except asyncio.CancelledError as error:
                if limit:
                    limit.end()
                if asyncio_task and asyncio_task.cancelling() > cancels:
                    raise
                if limit and limit.expired:
                    what = f"found no {run.waiting_for}" if run.waiting_for else "did not finish"
                    return RunStatus.TIMED_OUT, f"{what} within {timeout:g} s"
                # Nobody cancelled us: the function raised it, as some clients do when a connection dies.
                return RunStatus.FAILED, error
            except (KeyboardInterrupt, GeneratorExit) as error:
                if not is_running(asyncio_task):
                    raise  # the interpreter closes this coroutine
                # Servers hear Ctrl-C by themselves; what a function raises must not end the server, or its schedule.
                return RunStatus.FAILED, error
            finally:
                if limit:
                    limit.end()
            return _said(value) if value.__class__ in SAYINGS else (SUCCEEDED, value)
        return RunStatus.FAILED, boundary.error


def is_running(task: asyncio.Task[Any] | None) -> bool:
    """True if it is *task* that calls this, False if somebody closes its coroutine."""
    try:
        return asyncio.current_task() is task
    except RuntimeError:  # no loop is running
        return False


def _ended_at(result: RunResult, moment: datetime) -> RunResult:
    """Return *result* of a run that ended at *moment*, by another clock, and was heard of later."""
    finished_at = min(max(moment, result.started_at), result.finished_at)
    return replace(result, finished_at=finished_at, duration=(finished_at - result.started_at).total_seconds())


def _said(value: Any) -> tuple[RunStatus, Any]:
    """Return how the run stands by what its executor, not the function, has returned."""
    if isinstance(value, Outcome):
        return value.status, value
    return (RUNNING if value is LEFT else RunStatus.SKIPPED), None


class _Going:
    """A run that is going on. When it was due, began and ends: wall time to show, monotonic time to measure."""

    __slots__ = ("_began", "_claim", "_due_at", "_started_at", "asyncio_task", "report", "run")

    def __init__(
        self,
        run: Run,
        claim: Claim,
        due_at: datetime,
        report: Report,
        asyncio_task: asyncio.Task[Any] | None,
        clock: Clock,
    ) -> None:
        self.run = run
        self.report = report
        self.asyncio_task = asyncio_task
        self._claim = claim
        self._due_at = due_at
        self._started_at = now = clock.now()
        self._began = clock.monotonic()
        if claim.began_at is not None:
            self._started_at = claim.began_at
            self._began -= (now - claim.began_at).total_seconds()

    def result(
        self, clock: Clock, status: RunStatus, ended_with: Any, *, error: str | None, stall: Stall | None
    ) -> RunResult:
        """Return how it ended, which is now."""
        if ended_with.__class__ is Outcome:
            result = self.result(clock, status, None, error=ended_with.error, stall=stall)
            told = replace(
                result,
                value=ended_with.value,
                traceback=ended_with.traceback,
                log=ended_with.log or result.log,
            )
            return _ended_at(told, ended_with.finished_at) if ended_with.finished_at else told
        is_success = status is SUCCEEDED
        raised = ended_with if isinstance(ended_with, BaseException) else None
        if error is None and not is_success and status.is_failure:
            error = describe(raised) if raised else str(ended_with)
        return RunResult(
            claim=self._claim,
            status=status,
            started_at=self._started_at,
            finished_at=clock.now(),
            duration=clock.monotonic() - self._began,
            lateness=(self._started_at - self._due_at).total_seconds(),
            error=error,
            traceback=traceback_of(raised) if raised else None,
            value=as_text(ended_with) if is_success and ended_with is not None else None,
            stall=stall,
            log=self.run.log.take(),
        )


def describe(error: BaseException) -> str:
    """Return ``Type: message`` on one line, trimmed."""
    message = ""
    with Boundary():  # an exception may fail to say what it is
        message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message}"[:MAX_TEXT] if message else type(error).__name__


def traceback_of(error: BaseException) -> str:
    """Return the traceback of *error*, its end if it is long."""
    # The end names the line that raised; it is what must survive the trimming.
    return "".join(traceback_module.format_exception(error))[-MAX_TRACEBACK:]


def as_text(value: Any) -> str | None:
    """Return *value* as text, trimmed, whatever it is."""
    with Boundary() as boundary:
        return str(value)[:MAX_TEXT]
    return f"<unprintable {type(value).__name__}: {describe(boundary.error)}>" if boundary.error else None
