"""One executor under a real runner: tasks are run by it, and the results told.

Its tasks are those of ``project/errands``: a worker finds them by name.
"""

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from django.db import connections

from asyncsched import Every
from asyncsched.engine.clock import SystemClock
from asyncsched.engine.context import Run
from asyncsched.engine.ports import Executor
from asyncsched.engine.runner import Runner
from asyncsched.engine.runs import Claim, Occurrence, RunResult
from asyncsched.registry import Task
from tests.engine.conftest import make_task
from tests.executors.project.errands import functions, notes
from tests.support.deadline import eventually

Value = TypeVar("Value")
ON_STAGE = "the one on stage"
PROJECT = Path(__file__).with_name("project")


async def asked(call: Callable[[], Value]) -> Value:
    """Return what *call* returns, which talks to the database: in a thread that has not known another before."""

    def ask() -> Value:
        try:
            return call()
        finally:
            connections.close_all()

    return await asyncio.to_thread(ask)


def errand(name: str, **options: Any) -> Task:
    """Return the task of ``errands`` called *name*, with *options* besides its own."""
    own = {
        "is_not_enabled": (functions.answers, functions.never),
        "is_not_enabled_async": (functions.answers_async, functions.never_async),
    }
    function, predicate = own.get(name) or (getattr(functions, name, None), None)
    function = function or functions.answers  # of a name that workers do not know
    is_async = inspect.iscoroutinefunction(function)
    options = {"schedule": Every(3600), "enabled_when": predicate, "executor": ON_STAGE} | options
    return make_task(function, name=name, is_async=is_async, **options)


@dataclass(eq=False, kw_only=True)
class Going:
    """A run that has begun, and will have ended."""

    claim: Claim
    results: list[RunResult]
    left: list[Claim]
    performing: asyncio.Task[None]
    runner: Runner

    @property
    def id(self) -> str:
        return self.claim.run_id

    @property
    def notes(self) -> list[str]:
        """What the function has noted so far."""
        return [line["event"] for line in notes.noted(self.id)]

    @property
    def process(self) -> int:
        """In which process it has noted something last."""
        return int(notes.noted(self.id)[-1]["process"])

    async def picked_up(self) -> None:
        """Return once its executor knows that it has begun."""
        (run,) = (going.run for going in self.runner._going if going.run.id == self.id)
        await eventually(lambda: not run.waiting_for)

    async def noted(self, event: str) -> None:
        """Return once the function has noted *event*."""
        await eventually(lambda: event in self.notes, what=f"{event!r} in the notes of {self.id}")

    def let_go_on(self) -> None:
        """Give the function the word."""
        notes.let_go_on(self.id)

    async def result(self) -> RunResult:
        """Return how the run ended, once it has."""
        async with asyncio.timeout(30):
            await asyncio.wait((self.performing,))
        (result,) = self.results
        return result


@dataclass(eq=False, kw_only=True)
class Stage:
    """*store* grants the claims: where workers pick runs up from a database, it is one on that."""

    executor: Executor
    store: Any
    called: str = ON_STAGE
    """As tasks name the executor."""
    progressed: list[tuple[str, int, int | None]] = field(default_factory=list)
    runner: Runner = field(init=False)

    def __post_init__(self) -> None:
        self.runner = Runner(SystemClock(), self.executor, on_progress=self._progressed)

    def _progressed(self, run: Run) -> None:
        self.progressed.append((run.id, run.done, run.total))

    async def begin(self, task: Task | str, *, claim: Claim | None = None) -> Going:
        """Claim an occurrence of *task*, unless the *claim* is there already, and begin to run it."""
        task = errand(task) if isinstance(task, str) else task
        if task.options.executor == ON_STAGE:
            task = replace(task, options=replace(task.options, executor=self.called))
        await self.store.load([task])
        due = datetime.now(UTC)
        claim = claim or await self.store.claim(task, Occurrence(task=task.name, scheduled_for=due))
        assert isinstance(claim, Claim), claim
        results: list[RunResult] = []
        left: list[Claim] = []

        def report(result: RunResult) -> None:
            results.append(result)
            self.store.record(result)

        running = self.runner.run(task, claim, due_at=due, report=report, on_left=left.append)
        performing = asyncio.create_task(running)
        return Going(claim=claim, results=results, left=left, performing=performing, runner=self.runner)

    async def run(self, task: Task | str) -> RunResult:
        """Run *task* once and return how that ended."""
        return await (await self.begin(task)).result()

    async def close(self) -> None:
        """End it, as a drain does."""
        await self.executor.close(5)
        await self.store.close(5)
