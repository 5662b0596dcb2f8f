"""A span per run: current in the function, told how the run ended, linked to the attempt before."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from asyncsched import Every, Retry
from asyncsched.engine.executor import LocalExecutor
from asyncsched.engine.runner import Runner
from asyncsched.engine.runs import Claim, Occurrence, Trigger
from asyncsched.engine.supervisor import Supervisor
from asyncsched.listeners.opentelemetry import Tracing
from asyncsched.testing import MemoryStore, VirtualClock
from tests.engine.conftest import make_task


class Traced:
    """A scheduler in virtual time whose runs are spans, kept in memory."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("tests")
        self.tracing = Tracing(LocalExecutor(4), self.provider)

    @asynccontextmanager
    async def running(self, function: Callable[[], Any], **options: Any) -> AsyncIterator[None]:
        supervisor = Supervisor(
            [make_task(function, options.pop("schedule", Every(10)), **options)],
            clock=VirtualClock(),
            store=MemoryStore(),
            executor=self.tracing,
            listeners=(self.tracing,),
        )
        await supervisor.start()
        try:
            yield
        finally:
            await supervisor.drain(grace=1.0)

    async def run_for(self, seconds: float, function: Callable[[], Any], **options: Any) -> tuple[ReadableSpan, ...]:
        async with self.running(function, **options):
            await asyncio.sleep(seconds)
        return self.spans

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """The spans that have ended, in the order in which they began."""
        return tuple(sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time or 0))


@pytest.fixture
def traced() -> Traced:
    return Traced()


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return {key.removeprefix("asyncsched."): value for key, value in (span.attributes or {}).items()}


async def work() -> None:
    """Do nothing."""


async def fail() -> None:
    raise ValueError("no such order")


@pytest.mark.looptime
async def test_a_run_is_a_span_that_tells_what_it_was(traced: Traced) -> None:
    (span,) = await traced.run_for(12, work)
    assert (span.name, span.kind, span.status.status_code) == ("task", trace.SpanKind.INTERNAL, StatusCode.UNSET)
    told = attributes(span)
    assert len(told.pop("run")) == 32
    assert told.pop("scheduled_for").endswith("+00:00")
    assert told.pop("lateness_s") == pytest.approx(0, abs=0.01)
    assert told == {"task": "task", "trigger": "schedule", "attempt": 1, "status": "succeeded"}


@pytest.mark.looptime
async def test_a_failure_has_its_exception(traced: Traced) -> None:
    (span,) = await traced.run_for(12, fail)
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ValueError: no such order")
    (event,) = span.events
    assert (event.name, (event.attributes or {})["exception.type"]) == ("exception", "ValueError")
    assert attributes(span)["status"] == "failed"


@pytest.mark.looptime
async def test_what_takes_too_long_says_so(traced: Traced) -> None:
    (span,) = await traced.run_for(14, lambda: asyncio.sleep(60), timeout=2.0)
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "did not finish within 2 s")
    assert attributes(span)["status"] == "timed_out"


@pytest.mark.looptime
async def test_what_the_drain_cuts_off_says_so(traced: Traced) -> None:
    (span,) = await traced.run_for(12, lambda: asyncio.sleep(3600))
    assert (span.status.status_code, attributes(span)["status"]) == (StatusCode.UNSET, "cancelled")


@pytest.mark.looptime
async def test_a_run_that_its_predicate_skips_says_so(traced: Traced) -> None:
    (span,) = await traced.run_for(12, work, enabled_when=lambda: False)
    assert attributes(span)["status"] == "skipped"


@pytest.mark.looptime
async def test_what_an_async_run_does_is_part_of_it(traced: Traced) -> None:
    async def parent() -> None:
        with traced.tracer.start_as_current_span("a query"):
            await asyncio.sleep(0)
        await asyncio.create_task(child())

    async def child() -> None:
        traced.tracer.start_span("in a task").end()

    run, *inner = await traced.run_for(12, parent)
    assert [span.name for span in inner] == ["a query", "in a task"]
    assert {span.parent.span_id for span in inner if span.parent} == {run.context.span_id}
    assert run.parent is None


async def test_so_is_what_a_sync_run_does_in_its_thread(traced: Traced) -> None:
    await by_hand(traced, lambda: traced.tracer.start_span("a query").end(), is_async=False)
    run, query = traced.spans
    assert query.parent is not None
    assert query.parent.span_id == run.context.span_id


@pytest.mark.looptime
async def test_a_retry_is_linked_to_the_attempt_before_and_another_occurrence_is_not(traced: Traced) -> None:
    spans = await traced.run_for(22, fail, retry=Retry(attempts=3, delay=1.0))
    first, second, third, following = spans[:4]
    assert [attributes(span)["attempt"] for span in (first, second, third, following)] == [1, 2, 3, 1]
    assert [link.context.span_id for link in second.links] == [first.context.span_id]
    assert [link.context.span_id for link in third.links] == [second.context.span_id]
    assert (list(first.links), list(following.links)) == ([], [])
    assert len({span.context.trace_id for span in (first, second, third, following)}) == 4


async def test_a_scheduler_that_was_started_within_a_span_does_not_hang_its_runs_onto_that(traced: Traced) -> None:
    with traced.tracer.start_as_current_span("start-up"):
        await by_hand(traced, work)
    run = next(span for span in traced.spans if span.name == "task")
    assert run.parent is None


@pytest.mark.parametrize(("function", "status"), [(work, "succeeded"), (fail, "failed")], ids=["well", "badly"])
async def test_a_run_by_hand_that_tells_no_listener_is_a_span_too(traced: Traced, function: Any, status: str) -> None:
    await by_hand(traced, function)
    (span,) = traced.spans
    assert (attributes(span)["trigger"], attributes(span)["status"]) == ("manual", status)


async def by_hand(traced: Traced, function: Callable[[], Any], *, is_async: bool = True) -> None:
    """Run *function* as a command does: without a scheduler, and nobody is told."""
    task = make_task(function, is_async=is_async)
    now = datetime.now(UTC)
    claim = Claim(run_id="1", occurrence=Occurrence(task="task", scheduled_for=now, trigger=Trigger.MANUAL))
    await Runner(VirtualClock(), traced.tracing).run(task, claim, due_at=now, report=lambda _: None)
    await asyncio.sleep(0)
