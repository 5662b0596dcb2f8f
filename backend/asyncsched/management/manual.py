"""Running tasks by hand, in the foreground, by the same rules as the scheduler's own runs."""

import asyncio
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.utils import timezone

from asyncsched.engine.clock import SystemClock
from asyncsched.engine.context import Run
from asyncsched.engine.ports import Executor
from asyncsched.engine.runner import Runner
from asyncsched.engine.runs import Occurrence, Refusal, RunResult, RunStatus, SkipReason, Trigger
from asyncsched.registry import Task
from asyncsched.storage.store import DjangoStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """What became of a task that was to be run: a result, or a refusal."""

    task: str
    result: RunResult | None = None
    refusal: Refusal | None = None

    @property
    def succeeded(self) -> bool:
        """True unless the run failed, was cut off or refused; a run its predicate skipped has not failed."""
        return self.result is not None and self.result.status in {RunStatus.SUCCEEDED, RunStatus.SKIPPED}

    def as_json(self) -> dict[str, Any]:
        """Return one element of what ``async_tasks run --json`` prints."""
        if self.result is None:
            reason = self.refusal.reason.value if self.refusal else None
            return {"task": self.task, "status": "refused", "reason": reason}
        occurrence = self.result.claim.occurrence
        return {
            "task": self.task,
            "status": self.result.status.value,
            "run_id": self.result.claim.run_id,
            "trigger": occurrence.trigger.value,
            "scheduled_for": occurrence.scheduled_for.isoformat(),
            "started_at": self.result.started_at.isoformat(),
            "finished_at": self.result.finished_at.isoformat(),
            "duration_s": self.result.duration,
            "result": self.result.value,
            "error": self.result.error,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualRuns:
    """Runs tasks one after the other, and tells of each when it begins, gets on and has ended."""

    store: DjangoStore
    executor: Executor
    on_start: Callable[[Task], None]
    on_progress: Callable[[Run], None]
    on_end: Callable[[Attempted], None]
    force: bool = False
    """Run a task even if it is running elsewhere, or its predicate says no."""

    async def run(self, tasks: Iterable[Task]) -> list[Attempted]:
        """Run *tasks* and return what became of each. SIGTERM cuts the current one off, truthfully recorded."""
        this = asyncio.current_task()
        if this is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
        tasks = tuple(tasks)
        try:
            remembered = await self.store.load(tasks)
            attempted = []
            for task in tasks:
                failures = remembered[task.name].failures if task.name in remembered else 0
                attempted.append(await self._run_one(task, failures))
                self.on_end(attempted[-1])
            return attempted
        finally:
            await self.executor.close(patience=1.0)
            await self.store.close(patience=10.0)

    async def _run_one(self, task: Task, failures: int) -> Attempted:
        if self.force:
            task = replace(task, options=replace(task.options, enabled_when=None))
        occurrence = Occurrence(task=task.name, scheduled_for=timezone.now(), trigger=Trigger.MANUAL)
        answer = await self.store.claim(task, occurrence, force=self.force)
        if isinstance(answer, Refusal):
            return Attempted(task=task.name, refusal=answer)
        self.on_start(task)
        results: list[RunResult] = []

        def report(result: RunResult) -> None:
            counted = failures + 1 if result.status.is_failure else failures
            result = replace(result, failures=0 if result.status is RunStatus.SUCCEEDED else counted)
            self.store.record(result)
            results.append(result)

        runner = Runner(SystemClock(), self.executor, on_progress=self.on_progress)
        await runner.run(task, answer, due_at=occurrence.scheduled_for, report=report)
        if not results:  # it goes on, and the process that leads waits for its end
            return Attempted(
                task=task.name, refusal=Refusal(occurrence=occurrence, reason=SkipReason.RUNNING_ELSEWHERE)
            )
        return Attempted(task=task.name, result=results[0])
