"""A span of OpenTelemetry per run, current while the function runs: what it calls becomes part of its trace."""

import asyncio
from datetime import datetime
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context

from asyncsched.engine.context import Run
from asyncsched.engine.ports import NOT_ENABLED, Executor, Listener
from asyncsched.engine.runs import RunResult, RunStatus
from asyncsched.registry import Task


class Tracing(Listener):
    """An executor around another one, and a listener: the executor begins a span, the listener tells how it ended.

    Each run begins a trace of its own. A retry's span links to that of the attempt before.
    """

    def __init__(self, executor: Executor, provider: trace.TracerProvider | None = None) -> None:
        self._executor = executor
        self._tracer = trace.get_tracer("asyncsched", tracer_provider=provider)
        self._spans: dict[str, trace.Span] = {}
        self._latest: dict[str, tuple[datetime, trace.SpanContext]] = {}  # by task: what a retry may link to

    async def execute(self, task: Task, run: Run) -> Any:
        self._spans[run.id] = span = self._tracer.start_span(
            task.name,
            context=Context(),  # not that of whatever was going on when the scheduler was started
            attributes={
                "asyncsched.task": run.task,
                "asyncsched.run": run.id,
                "asyncsched.trigger": run.trigger,
                "asyncsched.attempt": run.attempt,
                "asyncsched.scheduled_for": run.scheduled_for.isoformat(),
            },
            links=self._links(run),
        )
        self._latest[run.task] = run.scheduled_for, span.get_span_context()
        status = RunStatus.FAILED
        try:
            with trace.use_span(span):
                value = await self._executor.execute(task, run)
            status = RunStatus.SKIPPED if value is NOT_ENABLED else RunStatus.SUCCEEDED
        except asyncio.CancelledError:
            status = RunStatus.CANCELLED
            raise
        finally:
            span.set_attribute("asyncsched.status", status)
            # Where there are listeners they are told before the loop comes round; a run by hand has none.
            asyncio.get_running_loop().call_soon(self._end, run.id)
        return value

    async def close(self, patience: float) -> None:
        await self._executor.close(patience)

    def run_finished(self, result: RunResult) -> None:
        span = self._spans.get(result.claim.run_id)
        if span is None:
            return
        span.set_attributes({"asyncsched.status": result.status, "asyncsched.lateness_s": result.lateness})
        if result.status.is_failure:
            span.set_status(trace.StatusCode.ERROR, result.error)
        self._end(result.claim.run_id)

    def _end(self, run_id: str) -> None:
        if span := self._spans.pop(run_id, None):
            span.end()

    def _links(self, run: Run) -> tuple[trace.Link, ...]:
        scheduled_for, span = self._latest.get(run.task, (None, None))
        return (trace.Link(span),) if span and run.attempt > 1 and scheduled_for == run.scheduled_for else ()
