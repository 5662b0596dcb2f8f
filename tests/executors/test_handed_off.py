"""What every executor does that hands runs to workers, seen with an engine that does nothing by itself."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from asyncsched import Every, Overlap
from asyncsched.engine.executor import LocalExecutor
from asyncsched.engine.routing import RoutingExecutor
from asyncsched.engine.runs import Claim, Occurrence, Outcome, RunStatus, Trigger
from asyncsched.errors import ConfigurationError
from asyncsched.executors.configured import Setup
from asyncsched.executors.handed_off import FormerExecutor, HandedOffExecutor
from asyncsched.executors.order import Order
from asyncsched.executors.worker import work
from asyncsched.models import HandOff, TaskRun
from asyncsched.policy import LOCAL
from asyncsched.registry import Registry
from asyncsched.storage import claims, handoffs
from asyncsched.storage.store import DjangoStore
from tests.executors.stage import Going, Stage, asked, errand
from tests.support.deadline import eventually

pytestmark = pytest.mark.usefixtures("nothing_left")
FAILED, ABANDONED, SUCCEEDED = RunStatus.FAILED, RunStatus.ABANDONED, RunStatus.SUCCEEDED


class Engine(HandedOffExecutor):
    """Takes orders, and carries none out; unless it *works*, which it then does where they are sent from."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.sent: list[Order] = []
        self.expiries: list[datetime | None] = []
        self.revoked: list[str] = []
        self.asked = 0
        self.works = False
        self.fails_with: Exception | None = None
        self.knows: Outcome | Exception | None = None
        self.may_answer = threading.Event()
        self.may_answer.set()

    def send(self, order: Order, *, expires_at: datetime | None) -> None:
        if self.fails_with:
            raise self.fails_with
        self.sent.append(order)
        self.expiries.append(expires_at)
        if self.works:
            work(order, beat=self.beat)

    def revoke(self, order: Order) -> None:
        time.sleep(0.05)  # as long as a broker takes
        self.revoked.append(order.run_id)

    def verdict(self, run_id: str) -> Outcome | None:
        self.asked += 1
        self.may_answer.wait(30)
        if isinstance(self.knows, Exception):
            raise self.knows
        return self.knows


def new_stage() -> Stage:
    """Return a stage that is another process's, as far as the database knows."""
    store = DjangoStore(now=lambda: datetime.now(UTC))
    return Stage(executor=Engine(Setup(name="engine", replica=store.replica, options={"beat": 0.25})), store=store)


@pytest.fixture
async def stage(shared_database: str) -> AsyncIterator[Stage]:
    stage = new_stage()
    yield stage
    await stage.close()


@pytest.fixture
async def next_stage(shared_database: str) -> AsyncIterator[Stage]:
    stage = new_stage()
    yield stage
    await stage.close()


def engine_of(stage: Stage) -> Engine:
    assert isinstance(stage.executor, Engine)
    return stage.executor


async def picked_up(stage: Stage, run: Going) -> None:
    """Let a worker, of which nothing more is heard, pick *run* up once it has been sent."""
    await eventually(lambda: engine_of(stage).sent)
    assert await asked(partial(handoffs.pick_up, run.id, "worker:1"))
    await run.picked_up()


def rename(table: str, to: str) -> None:
    """Let it look as if the database were away, or back, for who asks for *table*."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {to}")


async def is_withdrawn(run: Going) -> bool:
    """Return whether no worker can pick *run* up any more, and none has."""
    row = await asked(lambda: HandOff.objects.get(run_id=run.id))
    return bool(row.state == HandOff.State.ENDED and not row.worker)


async def test_an_engine_may_carry_orders_out_where_they_are_sent_from(stage: Stage, known: Registry) -> None:
    known.add(errand("answers"))
    engine_of(stage).works = True
    result = await stage.run("answers")
    assert (result.status, result.value) == (SUCCEEDED, "42")


async def test_a_worker_of_which_nothing_is_heard_any_more_has_abandoned_its_run(stage: Stage) -> None:
    run = await stage.begin("holds")
    await picked_up(stage, run)
    result = await run.result()
    assert (result.status, result.error) == (ABANDONED, "its worker ended without a word")
    outcome = Outcome(status=SUCCEEDED)
    assert not await asked(partial(handoffs.end, run.id, outcome, done=0, total=None))


async def test_an_engine_that_knows_better_is_believed_once_its_worker_is_silent(stage: Stage) -> None:
    engine_of(stage).knows = Outcome(status=FAILED, error="out of memory")
    run = await stage.begin("holds")
    await picked_up(stage, run)
    result = await run.result()
    assert (result.status, result.error) == (FAILED, "out of memory")


async def test_an_engine_that_cannot_be_asked_knows_nothing(stage: Stage) -> None:
    engine_of(stage).knows = OSError("no result backend")
    run = await stage.begin("holds")
    await picked_up(stage, run)
    assert (await run.result()).error == "its worker ended without a word"
    assert engine_of(stage).asked > 1


async def test_an_engine_is_not_asked_about_a_worker_that_tells_of_itself(stage: Stage, known: Registry) -> None:
    known.add(errand("answers"))
    engine_of(stage).works = True
    await stage.run("answers")
    assert engine_of(stage).asked == 0


async def test_a_run_that_cannot_be_sent_before_its_next_occurrence_fails_and_says_why(stage: Stage) -> None:
    engine_of(stage).fails_with = OSError("no route to broker")
    result = await stage.run(errand("answers", schedule=Every(1)))
    assert result.status is FAILED
    assert str(result.error).startswith("could not be sent before ")
    assert str(result.error).endswith(": OSError: no route to broker")


async def test_a_run_gives_way_to_the_next_occurrence_but_one_that_was_asked_for_waits_an_hour_at_least(
    stage: Stage,
) -> None:
    task = errand("answers", schedule=Every(60))
    await stage.begin(task)
    await eventually(lambda: engine_of(stage).expiries)
    (expires_at,) = engine_of(stage).expiries
    assert expires_at is not None
    assert timedelta(0) < expires_at - datetime.now(UTC) <= timedelta(minutes=1)

    asked_for = Occurrence(task="answers", scheduled_for=datetime.now(UTC), trigger=Trigger.MANUAL)
    await stage.begin(task, claim=Claim(run_id="a" * 32, occurrence=asked_for, has_row=True))
    await eventually(lambda: engine_of(stage).expiries[1:])
    expires_at = engine_of(stage).expiries[1]
    assert expires_at is not None
    assert timedelta(minutes=59) < expires_at - datetime.now(UTC) <= timedelta(minutes=61)


async def test_a_run_that_another_process_had_sent_is_not_said_to_have_never_been_sent(
    stage: Stage, next_stage: Stage
) -> None:
    task = errand("holds", schedule=Every(2))
    run = await stage.begin(task)
    await eventually(lambda: engine_of(stage).sent)
    await left(stage, run)
    await next_stage.store.load([task])
    (claim,) = await next_stage.store.take_over()
    began_at = claim.began_at
    assert began_at is not None
    result = await (
        await next_stage.begin(task, claim=replace(claim, began_at=began_at - timedelta(minutes=1)))
    ).result()
    assert str(result.error).startswith("no worker picked it up before ")


async def test_a_run_that_finds_no_worker_within_its_time_is_withdrawn(stage: Stage) -> None:
    run = await stage.begin(errand("answers", timeout=0.5))
    result = await run.result()
    assert (result.status, result.error) == (RunStatus.TIMED_OUT, "found no free worker within 0.5 s")
    assert await is_withdrawn(run)
    assert engine_of(stage).revoked == []


async def test_a_run_that_ended_in_time_has_succeeded_though_that_is_heard_only_past_its_time(stage: Stage) -> None:
    run = await stage.begin(errand("holds", timeout=2.0))
    await picked_up(stage, run)
    await asked(partial(rename, "asyncsched_handoff", to="away"))
    await asyncio.wait((run.performing,), timeout=2.5)
    assert run.results == []  # nobody can know yet
    await asked(partial(rename, "away", to="asyncsched_handoff"))
    await asked(partial(handoffs.end, run.id, Outcome(status=SUCCEEDED, value="held"), done=0, total=None))
    assert (await run.result()).value == "held"
    assert engine_of(stage).revoked == []


async def test_a_run_that_another_process_attends_to_is_not_over_its_time_here(stage: Stage) -> None:
    run = await stage.begin(errand("holds", timeout=1.0))
    await eventually(lambda: engine_of(stage).sent)
    await asked(partial(rename, "asyncsched_handoff", to="away"))
    await asyncio.wait((run.performing,), timeout=1.5)
    await asked(partial(rename, "away", to="asyncsched_handoff"))
    await asked(lambda: HandOff.objects.filter(run_id=run.id).update(owner="another"))
    await eventually(run.performing.done)
    assert (run.results, run.left) == ([], [run.claim])
    assert await asked(partial(handoffs.pick_up, run.id, "worker:1"))


async def test_a_run_whose_process_ends_while_it_is_offered_is_left_unsent(stage: Stage, next_stage: Stage) -> None:
    stage.runner.ask_to_stop()
    run = await stage.begin("holds")
    await eventually(run.performing.done)
    await stage.close()
    assert (run.left, engine_of(stage).sent) == ([run.claim], [])
    adopted = await taken_over(next_stage)
    await picked_up(next_stage, adopted)


async def test_a_run_that_a_worker_has_picked_up_unseen_is_revoked_when_it_is_cut_off(stage: Stage) -> None:
    run = await stage.begin("holds")
    await eventually(lambda: engine_of(stage).sent)
    assert await asked(partial(handoffs.pick_up, run.id, "worker:1"))
    run.performing.cancel()
    assert (await run.result()).error == "cut off before it had finished"
    await stage.close()  # a command that is interrupted ends at once
    assert engine_of(stage).revoked == [run.id]


async def test_an_engine_that_does_not_answer_is_asked_once(stage: Stage) -> None:
    engine_of(stage).may_answer.clear()
    run = await stage.begin("holds")
    await picked_up(stage, run)
    assert (await run.result()).error == "its worker ended without a word"
    assert engine_of(stage).asked == 1
    engine_of(stage).may_answer.set()


async def test_a_run_of_a_task_that_is_handed_off_no_more_ends_as_its_worker_says(
    stage: Stage, shared_database: str
) -> None:
    run = await stage.begin("answers")
    await picked_up(stage, run)
    await left(stage, run)

    task = errand("answers", executor=LOCAL)
    store = DjangoStore(now=lambda: datetime.now(UTC))
    former = FormerExecutor(Setup(name="former", replica=store.replica, options={"beat": 0.25}))
    later = Stage(
        executor=RoutingExecutor(LocalExecutor(threads=1), {}, former=former, outliving=()),
        store=store,
    )
    await store.load([task])
    (claim,) = await store.take_over()
    adopted = await later.begin(task, claim=claim)
    await asked(partial(handoffs.end, run.id, Outcome(status=SUCCEEDED, value="done"), done=0, total=None))
    assert (await adopted.result()).value == "done"
    assert run.notes == []  # it has not been run here
    assert (await later.run(task)).value == "42"  # what comes next is
    await later.close()


async def test_a_run_that_is_over_its_time_is_revoked(stage: Stage) -> None:
    run = await stage.begin(errand("holds", timeout=3.0))
    await picked_up(stage, run)
    assert (await run.result()).error == "did not finish within 3 s"
    await eventually(lambda: engine_of(stage).revoked == [run.id])


async def test_a_run_to_which_another_process_has_come_to_attend_is_left_to_it(stage: Stage) -> None:
    run = await stage.begin("holds")
    await picked_up(stage, run)
    await asked(lambda: HandOff.objects.filter(run_id=run.id).update(owner="another"))
    await eventually(run.performing.done)
    assert (run.results, run.left) == ([], [run.claim])
    assert engine_of(stage).revoked == []


async def left(stage: Stage, run: Going) -> None:
    """Let the process of *stage* stop, as a drain does."""
    stage.runner.ask_to_stop()
    await eventually(run.performing.done)
    await stage.close()
    assert (run.results, run.left) == ([], [])


async def taken_over(stage: Stage) -> Going:
    """Let the process of *stage* attend to the run that another has left."""
    await stage.store.load([errand("holds")])
    (claim,) = await stage.store.take_over()
    return await stage.begin("holds", claim=claim)


async def test_a_run_that_was_left_before_a_worker_had_it_is_sent_at_once_by_who_takes_it_over(
    stage: Stage, next_stage: Stage
) -> None:
    run = await stage.begin("holds")
    await eventually(lambda: engine_of(stage).sent)
    await left(stage, run)
    adopted = await taken_over(next_stage)
    await eventually(lambda: [order.run_id for order in engine_of(next_stage).sent] == [run.id])
    assert adopted.claim.began_at is not None
    await picked_up(next_stage, adopted)
    await asked(partial(handoffs.end, run.id, Outcome(status=SUCCEEDED), done=0, total=None))
    result = await adopted.result()
    assert (result.status, result.started_at) == (SUCCEEDED, adopted.claim.began_at)


async def test_a_run_that_ended_while_nobody_attended_to_it_is_recorded_by_who_takes_it_over(
    stage: Stage, next_stage: Stage
) -> None:
    run = await stage.begin("holds")
    await picked_up(stage, run)
    await left(stage, run)
    await asked(partial(handoffs.end, run.id, Outcome(status=FAILED, error="it rained"), done=0, total=None))
    result = await (await taken_over(next_stage)).result()
    assert (result.claim.run_id, result.status, result.error) == (run.id, FAILED, "it rained")
    assert engine_of(next_stage).sent == []


async def test_an_outage_of_the_database_is_told_once_and_costs_nothing(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    run = await stage.begin("holds")
    await picked_up(stage, run)
    await asked(partial(rename, "asyncsched_handoff", to="away"))
    await eventually(lambda: "cannot see how handed-off runs go on" in caplog.text)
    await asked(partial(rename, "away", to="asyncsched_handoff"))
    end = partial(handoffs.end, run.id, Outcome(status=SUCCEEDED, value="held"), done=0, total=None)
    await asked(end)
    assert (await run.result()).value == "held"
    assert caplog.text.count("cannot see how handed-off runs go on") == 1
    assert "can see again how handed-off runs go on" in caplog.text


def earlier_run_over_its_time() -> str:
    """Return the id of a run that counts as ended, though its worker has not ended it."""
    occurrence = Occurrence(task="holds", scheduled_for=timezone.now())
    claim = claims.claim(errand("holds"), occurrence, replica="another", now=timezone.now())
    assert isinstance(claim, Claim)
    handoffs.offer(claim.run_id, task="holds", executor="engine", owner="another")
    assert handoffs.pick_up(claim.run_id, "worker:1")
    TaskRun.objects.filter(run_id=claim.run_id).update(status="timed_out")
    return claim.run_id


async def beat(run_id: str) -> None:
    while True:
        await asked(partial(handoffs.beat, run_id, done=0, total=None))
        await asyncio.sleep(0.02)


async def test_a_task_does_not_run_while_a_worker_has_not_ended_its_earlier_run(stage: Stage) -> None:
    beating = asyncio.create_task(beat(await asked(earlier_run_over_its_time)))
    result = await stage.run("holds")
    assert result.status is FAILED
    assert result.error == "StillRunning: an earlier run is over its time and its worker has not ended it yet"
    assert engine_of(stage).sent == []
    assert (await (await ended_by_a_worker(stage, overlap=Overlap.ALLOW)).result()).status is SUCCEEDED
    beating.cancel()


async def ended_by_a_worker(stage: Stage, **options: Any) -> Going:
    """Begin a run, and let a worker pick it up and end it."""
    run = await stage.begin(errand("holds", **options))
    await picked_up(stage, run)
    await asked(partial(handoffs.end, run.id, Outcome(status=SUCCEEDED), done=0, total=None))
    return run


async def test_a_worker_that_is_dead_does_not_keep_its_task_from_running(stage: Stage) -> None:
    earlier = await asked(earlier_run_over_its_time)
    run = await ended_by_a_worker(stage)
    assert (await run.result()).status is SUCCEEDED
    row = await asked(lambda: HandOff.objects.get(run_id=earlier))
    assert row.outcome["status"] == "abandoned"


async def test_nor_if_none_of_its_runs_has_the_time_to_find_out(stage: Stage) -> None:
    await asked(earlier_run_over_its_time)
    results = []
    while not engine_of(stage).sent and len(results) < 10:
        results.append(await stage.run(errand("holds", timeout=1.0)))
    assert {result.error for result in results} == {"found no free worker within 1 s"}
    assert engine_of(stage).sent


def test_while_nothing_is_handed_off_there_is_neither_a_thread_nor_a_look() -> None:
    before = threading.active_count()
    executor = Engine(Setup(name="engine", replica="here"))
    assert threading.active_count() == before
    asyncio.run(executor.close(1))


async def test_after_the_last_run_nobody_looks_any_more(stage: Stage, known: Registry) -> None:
    known.add(errand("answers"))
    engine_of(stage).works = True
    await stage.run("answers")
    looking = stage.executor._lookout._looking
    await eventually(looking.done)


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"qeue": "x"}, "OPTIONS has 'qeue', which is no option; known are beat"),
        ({"beat": 0}, "OPTIONS['beat'] must be a number of seconds above 0, but is 0"),
        ({"beat": "often"}, "OPTIONS['beat'] must be a number of seconds above 0, but is 'often'"),
    ],
    ids=["unknown", "none", "text"],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], refusal: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        Engine(Setup(name="engine", replica="here", options=options))
    assert str(error.value) == refusal


async def test_where_nothing_is_handed_off_or_left_nobody_looks_for_it(shared_database: str) -> None:
    store = DjangoStore(now=lambda: datetime.now(UTC))
    await store.load([errand("answers", executor=LOCAL)])
    await asked(partial(rename, "asyncsched_handoff", to="away"))
    try:
        assert await store.take_over() == ()
    finally:
        await asked(partial(rename, "away", to="asyncsched_handoff"))
        await store.close(5)
