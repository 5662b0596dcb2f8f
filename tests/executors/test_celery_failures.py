"""Whatever breaks between a scheduler and Celery's workers, a run ends truthfully, and begins at most once.

What the functions did, they have noted themselves.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pytest

from asyncsched import Every
from asyncsched.engine.context import Run
from asyncsched.engine.runs import Claim, RunStatus
from asyncsched.executors.order import Order
from asyncsched.models import HandOff
from tests.executors.celery_site import CelerySite
from tests.executors.stage import Going, Stage, asked, errand
from tests.support.deadline import eventually
from tests.support.servers import Server

SUCCEEDED, FAILED, ABANDONED = RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.ABANDONED
pytestmark = pytest.mark.usefixtures("celery_worker", "nothing_left")


@pytest.fixture
async def make_stage(celery_site: CelerySite) -> AsyncIterator[Callable[..., Stage]]:
    """A factory of stages, each of which is another process's, as far as the database knows."""
    stages: list[Stage] = []

    def make(**options: object) -> Stage:
        stages.append(celery_site.stage(**options))
        return stages[-1]

    yield make
    for stage in stages:
        await stage.close()


@pytest.fixture
def queue() -> str:
    """A queue to which nobody listens."""
    return f"queue-{time.monotonic_ns()}"


@contextmanager
def frozen(process: int) -> Iterator[None]:
    """Let *process* stand still inside the block, and go on after it, whatever happens."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


async def outcome_of(run: Going) -> str | None:
    """Return what the worker, or who waited for it, has told of the run."""
    row = await asked(HandOff.objects.filter(run_id=run.id).first)
    return row and row.outcome and str(row.outcome["status"])


async def listened_to(site: CelerySite, queue: str) -> None:
    """Return once the worker takes messages from *queue* as well."""
    await eventually(lambda: asyncio.to_thread(site.let_worker_listen_to, queue))


async def test_a_worker_process_that_is_killed_abandons_its_run_and_celery_tells_why_before_the_silence_does(
    celery_stage: Stage,
) -> None:
    run = await celery_stage.begin("holds")
    await run.noted("began")
    os.kill(run.process, signal.SIGKILL)
    result = await run.result()
    assert result.status is ABANDONED
    assert "WorkerLostError" in str(result.error)
    assert run.notes == ["began"]


async def test_a_run_whose_worker_is_stopped_says_so(celery_stage: Stage) -> None:
    run = await celery_stage.begin("holds")
    await run.noted("began")
    os.kill(run.process, signal.SIGTERM)  # as Celery does when it stops at once
    result = await run.result()
    assert (result.status, result.error) == (
        RunStatus.CANCELLED,
        "cut off before it had finished: its worker was stopped",
    )
    assert (await celery_stage.run("answers")).status is SUCCEEDED


async def test_a_run_whose_worker_is_lost_is_abandoned_and_the_worker_that_gets_its_message_next_refuses_it(
    celery_site: CelerySite, make_stage: Callable[..., Stage], queue: str
) -> None:
    stage = make_stage(queue=queue, beat=0.25)
    with celery_site.worker(queue=queue, processes=1) as lost:
        run = await stage.begin("holds")
        await run.noted("began")
        await run.picked_up()
        lost.send_to_all(signal.SIGKILL)
        result = await run.result()
    assert (result.status, result.error) == (ABANDONED, "its worker ended without a word")
    with celery_site.worker(queue=queue, processes=1) as next_one:
        next_one.wait_until_logged(f"Task holds[{run.id}] succeeded")  # for Celery, to refuse is that
        assert "holds: not begun" in next_one.log
    assert run.notes == ["began"]


async def test_a_run_whose_worker_is_frozen_is_abandoned_and_what_it_says_later_changes_nothing(
    celery_worker: Server, make_stage: Callable[..., Stage]
) -> None:
    run = await make_stage(beat=0.25).begin("holds")
    await run.noted("began")
    await run.picked_up()
    with frozen(run.process):
        result = await run.result()
    assert (result.status, result.error) == (ABANDONED, "its worker ended without a word")
    run.let_go_on()
    await run.noted("ended")
    await eventually(lambda: "holds: succeeded, but counts as ended already" in celery_worker.log)
    assert await outcome_of(run) == "abandoned"


async def test_a_message_that_comes_twice_begins_one_run(celery_worker: Server, celery_stage: Stage) -> None:
    task = errand("holds")
    run = await celery_stage.begin(task)
    await run.noted("began")
    order = Order.of(task, Run(run.claim), log_lines=0)
    await asyncio.to_thread(celery_stage.executor.send, order, expires_at=None)
    await eventually(lambda: celery_worker.log.count(f"Task holds[{run.id}] received") == 2)
    await eventually(lambda: f"Task holds[{run.id}] succeeded" in celery_worker.log)
    run.let_go_on()
    assert (await run.result()).status is SUCCEEDED
    assert run.notes == ["began", "ended"]


async def test_a_run_whose_result_celery_has_lost_has_succeeded_all_the_same(
    celery_site: CelerySite, celery_stage: Stage
) -> None:
    run = await celery_stage.begin("holds")
    await run.noted("began")
    with celery_site.broker as broker:
        broker.flushall()
    run.let_go_on()
    result = await run.result()
    assert (result.status, result.value) == (SUCCEEDED, "held")


async def test_a_run_that_no_worker_picks_up_before_its_next_occurrence_fails_and_is_begun_by_none_later(
    celery_site: CelerySite, celery_worker: Server, make_stage: Callable[..., Stage], queue: str
) -> None:
    run = await make_stage(queue=queue, beat=1.0).begin(errand("answers", schedule=Every(2)))
    result = await run.result()
    assert result.status is FAILED
    assert str(result.error).startswith("no worker picked it up before ")
    await listened_to(celery_site, queue)
    await eventually(lambda: run.id in celery_worker.log.rpartition("Discarding revoked task")[2])
    assert run.notes == []


async def test_a_run_that_is_over_its_time_is_ended_by_its_worker_though_nobody_waits_for_it(
    make_stage: Callable[..., Stage],
) -> None:
    stage = make_stage(beat=1.0)
    run = await stage.begin(errand("holds", timeout=4))
    await run.noted("began")
    stage.runner.ask_to_stop()
    await eventually(run.performing.done)
    await eventually(lambda: _is(run, "timed_out"))
    assert run.notes == ["began"]


async def _is(run: Going, outcome: str) -> bool:
    return await outcome_of(run) == outcome


async def test_a_run_goes_on_while_its_scheduler_stops_and_the_next_one_records_it_under_the_same_id(
    make_stage: Callable[..., Stage],
) -> None:
    first, second = make_stage(beat=1.0), make_stage(beat=1.0)
    run = await first.begin("holds")
    await run.noted("began")
    first.runner.ask_to_stop()
    await eventually(run.performing.done)
    await first.close()
    assert (run.results, run.left) == ([], [])

    await second.store.load([errand("holds")])
    claims: list[Claim] = await eventually(second.store.take_over)
    assert [claim.run_id for claim in claims] == [run.id]
    adopted = await second.begin("holds", claim=claims[0])
    run.let_go_on()
    result = await adopted.result()
    assert (result.status, result.value) == (SUCCEEDED, "held")
    assert run.notes == ["began", "ended"]
