"""What travels to another process in place of a run, and how it is carried out there."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from logging import LogRecord, getLogger
from typing import Any, Self

from asyncsched.engine.boundary import PASSING, Boundary
from asyncsched.engine.context import Entered, ProgressListener, Run, run_here
from asyncsched.engine.executor import LocalExecutor, plain
from asyncsched.engine.ports import NOT_ENABLED
from asyncsched.engine.run_log import RunLogHandler
from asyncsched.engine.runner import as_text, describe, traceback_of
from asyncsched.engine.runs import Claim, Occurrence, Outcome, RunStatus, Trigger
from asyncsched.errors import UnknownTask
from asyncsched.registry import Task, registry
from asyncsched.storage.connections import TaskConnections, thread_connections

LOOK = 0.25
"""Seconds within which an async function is ended that nobody waits for any more."""

Meaning = Callable[[BaseException], Outcome | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One run, to be carried out by a process that has the same code."""

    run_id: str
    """The hex of a UUID."""
    task: str
    """Its name: the function is found by it."""
    scheduled_for: datetime
    """In UTC."""
    trigger: Trigger
    attempt: int
    term: int | None
    timeout: float | None
    """Seconds from when the function starts; None for no limit."""
    asks_predicate: bool
    """False if it is to run whatever its ``enabled_when`` says."""
    log_lines: int
    """So many of the latest lines that it writes to the log are kept; 0 keeps none."""

    @classmethod
    def of(cls, task: Task, run: Run, *, log_lines: int) -> Self:
        """Return the order for *run* of *task*."""
        return cls(
            run_id=run.id,
            task=task.name,
            scheduled_for=run.scheduled_for,
            trigger=run.trigger,
            attempt=run.attempt,
            term=run.term,
            timeout=task.options.timeout,
            asks_predicate=task.options.enabled_when is not None,
            log_lines=log_lines,
        )

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the order that ``to_dict`` has put into *told*. Raises TypeError or ValueError if none has."""
        scheduled_for = datetime.fromisoformat(told["scheduled_for"])
        return cls(**{**told, "scheduled_for": scheduled_for, "trigger": Trigger(told["trigger"])})

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {**asdict(self), "scheduled_for": self.scheduled_for.isoformat(), "trigger": self.trigger.value}

    def to_run(self, on_progress: ProgressListener | None = None) -> Run:
        """Return the run as its task sees it."""
        occurrence = Occurrence(
            task=self.task, scheduled_for=self.scheduled_for, trigger=self.trigger, attempt=self.attempt
        )
        claim = Claim(run_id=self.run_id, occurrence=occurrence, has_row=True, term=self.term)
        return Run(claim, on_progress=on_progress)


class _OverTime(Exception):
    """An async function has been ended because it was over its time."""


def perform(order: Order, run: Run, *, meaning: Meaning | None = None, ends_when_told: bool = False) -> Outcome:
    """Carry *order* out in the calling thread, which runs no event loop; return how it ended.

    *meaning* says what an error means that the worker, and not the function, has raised inside of
    it, such as to end it; None if it is the function's own. With *ends_when_told* an async function
    is cancelled once *run* is to stop.
    """
    began = time.monotonic()
    with Entered(run), _lines_kept(run, order.log_lines):
        outcome = _outcome(order, run, meaning, ends_when_told=ends_when_told)
    if order.timeout is not None and time.monotonic() - began >= order.timeout:
        outcome = over_time(order)  # it was asked to stop, and may have done so in any way
    return replace(outcome, log=run.log.take(), finished_at=datetime.now(UTC))


def over_time(order: Order) -> Outcome:
    """Return the outcome of a run that was ended because it was over its time."""
    limit = f"{order.timeout:g} s" if order.timeout else "the time that its worker allows"
    return Outcome(status=RunStatus.TIMED_OUT, error=f"did not finish within {limit}")


def _outcome(order: Order, run: Run, meaning: Meaning | None, *, ends_when_told: bool) -> Outcome:
    try:
        task = registry.get(order.task)
    except UnknownTask as error:
        return Outcome(status=RunStatus.FAILED, error=f"the worker's code is another: {error}")
    with Boundary() as boundary:
        try:
            value = _value(task, order, run, ends_when_told=ends_when_told)
        except PASSING as passing:  # some clients raise them when a connection dies; here nobody has cancelled
            return failed(passing)
        if value is NOT_ENABLED:
            return Outcome(status=RunStatus.SKIPPED)
        return Outcome(status=RunStatus.SUCCEEDED, value=None if value is None else as_text(value))
    if boundary.error is None or isinstance(boundary.error, _OverTime):
        return over_time(order)
    return (meaning and meaning(boundary.error)) or failed(boundary.error)


def failed(error: BaseException) -> Outcome:
    """Return the outcome of a run that *error* has ended."""
    return Outcome(status=RunStatus.FAILED, error=describe(error), traceback=traceback_of(error))


def _value(task: Task, order: Order, run: Run, *, ends_when_told: bool) -> Any:
    if not order.asks_predicate:
        task = replace(task, options=replace(task.options, enabled_when=None))
    if task.is_async:
        return asyncio.run(_value_of_async(task, order, run, ends_when_told=ends_when_told))
    with thread_connections():
        predicate = task.options.enabled_when
        if predicate is not None and not plain(predicate()):
            return NOT_ENABLED
        return plain(task.function())


async def _value_of_async(task: Task, order: Order, run: Run, *, ends_when_told: bool) -> Any:
    try:
        async with asyncio.timeout(order.timeout) as limit:
            watch = asyncio.create_task(_end_when_told(run, limit)) if ends_when_told else None
            try:
                return await LocalExecutor(threads=1, async_scope=TaskConnections).execute(task, run)
            finally:
                if watch is not None:
                    watch.cancel()
    except TimeoutError as error:
        if limit.expired():
            raise _OverTime from error
        raise


async def _end_when_told(run: Run, limit: asyncio.Timeout) -> None:
    while not run.stopping:  # noqa: ASYNC110 - it is told by a thread
        await asyncio.sleep(LOOK)
    if not limit.expired():
        limit.reschedule(asyncio.get_running_loop().time())


class _LinesOf(RunLogHandler):
    """Keeps the lines of one run: in other threads of the process others may go on."""

    def __init__(self, run: Run, lines: int) -> None:
        super().__init__(lines)
        self._run = run

    def handle(self, record: LogRecord) -> bool:
        return run_here() is self._run and super().handle(record)


@contextmanager
def _lines_kept(run: Run, lines: int) -> Iterator[None]:
    handler = _LinesOf(run, lines)
    if lines:
        getLogger().addHandler(handler)
    try:
        yield
    finally:
        getLogger().removeHandler(handler)
