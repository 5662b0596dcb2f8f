"""Runs that are asked for, as rows: one request is one run, whoever wants it, and however many could begin it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from asyncsched import Every, Overlap, Scope
from asyncsched.engine.clock import SystemClock
from asyncsched.engine.executor import LocalExecutor
from asyncsched.engine.ports import Requests
from asyncsched.engine.recollection import REQUEST_LASTS
from asyncsched.engine.runs import Claim, Occurrence, Refusal, RunStatus, SkipReason, Trigger
from asyncsched.engine.supervisor import Supervisor
from asyncsched.errors import StoreUnavailable
from asyncsched.models import TaskRun, TaskSkip, TaskState
from asyncsched.storage import claims, requests
from asyncsched.storage.store import DjangoStore
from tests.engine.conftest import make_task
from tests.storage.conftest import now
from tests.storage.test_history import ask, rows
from tests.storage.test_leadership import Process, processes
from tests.storage.test_store_contract import HOURLY
from tests.storage.test_terms import lead
from tests.support.deadline import eventually

EVERYWHERE = make_task(schedule=Every(3600), name="everywhere", scope=Scope.REPLICA)
FREQUENT = make_task(schedule=Every(2), name="frequent")


def wanted(asked_at: datetime, task: Any = HOURLY) -> Occurrence:
    return Occurrence(task=task.name, scheduled_for=asked_at, trigger=Trigger.MANUAL)


def state(name: str = "hourly") -> tuple[datetime | None, str]:
    return TaskState.objects.values_list("run_asked_at", "run_asked_by").get(task=name)


def claim(asked_at: datetime, task: Any = HOURLY, *, replica: str = "one", term: int | None = None) -> Claim | Refusal:
    return claims.claim_asked(task, wanted(asked_at, task), replica=replica, now=now(), term=term)


@pytest.mark.usefixtures("database")
class TestOnEveryDatabase:
    def test_who_asks_is_known_and_when(self) -> None:
        before = now() - timedelta(seconds=5)
        asked_at = requests.ask_run("hourly", by="anna")
        assert state() == (asked_at, "anna")
        assert before < asked_at < now() + timedelta(seconds=5)

    def test_a_name_that_is_too_long_for_its_column_is_cut(self) -> None:
        requests.ask_run("hourly", by="x" * 200)
        assert state()[1] == "x" * 150

    def test_asking_again_is_asking_once(self) -> None:
        asked_at = requests.ask_run("hourly", by="anna")
        assert requests.ask_run("hourly", by="ben") == asked_at
        assert state() == (asked_at, "anna")

    def test_what_was_asked_for_too_long_ago_is_asked_for_anew(self) -> None:
        requests.ask_run("hourly", by="anna")
        TaskState.objects.update(run_asked_at=now() - REQUEST_LASTS - timedelta(seconds=5))
        asked_at = requests.ask_run("hourly", by="ben")
        assert state() == (asked_at, "ben")

    def test_all_that_people_want_is_learnt_with_one_query(self) -> None:
        asked_at = requests.ask_run("hourly", by="anna")
        requests.set_paused("frequent", value=True)
        requests.set_paused("everywhere", value=False)
        with CaptureQueriesContext(connection) as queries:
            found = requests.pending()
        assert found == Requests(paused=frozenset({"frequent"}), asked={"hourly": asked_at})
        assert len(queries) == 1

    def test_the_run_that_is_granted_answers_it_and_who_asked_stays_known(self) -> None:
        asked_at = requests.ask_run("hourly", by="anna")
        assert isinstance(claim(asked_at), Claim)
        assert state() == (None, "anna")
        assert TaskRun.objects.values_list("trigger", "scheduled_for").get() == ("manual", asked_at)

    @pytest.mark.parametrize("task", [HOURLY, EVERYWHERE, FREQUENT], ids=lambda task: str(task.name))
    def test_it_is_granted_once_whatever_the_scope(self, task: Any) -> None:
        asked_at = requests.ask_run(task.name, by="anna")
        assert isinstance(claim(asked_at, task), Claim)
        other = claim(asked_at, task, replica="other")
        assert other == Refusal(occurrence=wanted(asked_at, task), reason=SkipReason.CLAIMED)
        assert TaskRun.objects.count() == 1

    def test_what_nobody_asked_for_is_granted_to_nobody(self) -> None:
        assert isinstance(claim(now()), Refusal)
        requests.ask_run("hourly", by="anna")
        assert isinstance(claim(now() + timedelta(hours=1)), Refusal)
        assert state()[0] is not None
        assert not TaskRun.objects.exists()

    def test_it_waits_while_the_task_is_running_elsewhere(self) -> None:
        by_hand = Occurrence(task="hourly", scheduled_for=now(), trigger=Trigger.MANUAL)
        assert isinstance(claims.claim(HOURLY, by_hand, replica="a command", now=now()), Claim)
        asked_at = requests.ask_run("hourly", by="anna")
        with pytest.raises(StoreUnavailable, match="waits"):
            claim(asked_at)
        assert state() == (asked_at, "anna")
        TaskRun.objects.update(status=RunStatus.SUCCEEDED)
        assert isinstance(claim(asked_at), Claim)

    def test_who_leads_no_more_leaves_it_to_who_does(self) -> None:
        lead(4)
        asked_at = requests.ask_run("hourly", by="anna")
        assert claim(asked_at, term=3) == Refusal(occurrence=wanted(asked_at), reason=SkipReason.NOT_LEADER)
        assert state() == (asked_at, "anna")
        granted = claim(asked_at, term=4)
        assert isinstance(granted, Claim)
        assert granted.term == 4

    def test_a_claim_that_is_taken_back_is_asked_for_again(self) -> None:
        asked_at = requests.ask_run("hourly", by="anna")
        granted = claim(asked_at)
        assert isinstance(granted, Claim)
        claims.withdraw_asked(granted)
        assert state() == (asked_at, "anna")
        assert isinstance(claim(asked_at), Claim)

    def test_a_request_that_came_meanwhile_stands_for_the_one_that_is_taken_back(self) -> None:
        granted = claim(requests.ask_run("hourly", by="anna"))
        assert isinstance(granted, Claim)
        asked_at = requests.ask_run("hourly", by="ben")
        claims.withdraw_asked(granted)
        assert state() == (asked_at, "ben")

    def test_what_is_dropped_leaves_a_reason_behind(self) -> None:
        asked_at = requests.ask_run("hourly", by="anna")
        requests.expire("hourly", asked_at)
        requests.expire("hourly", asked_at)
        assert state()[0] is None
        skip = TaskSkip.objects.get()
        assert (skip.task, skip.reason, skip.first_scheduled_for, skip.count) == ("hourly", "misfire", asked_at, 1)

    def test_what_has_begun_is_not_dropped(self) -> None:
        asked_at = requests.ask_run("hourly", by="anna")
        claim(asked_at)
        requests.expire("hourly", asked_at)
        assert not TaskSkip.objects.exists()


@pytest.fixture
async def stores(postgres_database: Any) -> AsyncIterator[list[DjangoStore]]:
    group = [DjangoStore(now=now) for _ in range(5)]
    for store in group:
        await store.load([HOURLY, EVERYWHERE])
    yield group
    await asyncio.gather(*(store.close(5) for store in group))


@pytest.mark.parametrize("scope", Scope)
async def test_of_many_who_want_to_begin_it_at_once_one_does(stores: list[DjangoStore], scope: Scope) -> None:
    task = make_task(schedule=Every(3600), name="side by side", overlap=Overlap.ALLOW, scope=scope)
    for _ in range(10):
        asked_at = await ask(lambda: requests.ask_run(task.name, by="anna"))
        answers = await asyncio.gather(*(store.claim_asked(task, wanted(asked_at, task)) for store in stores))
        assert sum(isinstance(answer, Claim) for answer in answers) == 1
    assert await ask(lambda: TaskRun.objects.filter(task=task.name).count()) == 10


async def test_a_claim_that_nobody_waits_for_any_more_is_taken_back(postgres_database: Any) -> None:
    store = DjangoStore(now=now)
    await store.load([HOURLY])
    asked_at = await ask(lambda: requests.ask_run("hourly", by="anna"))
    impatient = asyncio.ensure_future(store.claim_asked(HOURLY, wanted(asked_at)))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.wait([impatient])
    await store.close(5)
    assert await ask(lambda: (state()[0], TaskRun.objects.count())) == (asked_at, 0)


class Replica:
    """A whole scheduler on the database, with a part in the election."""

    def __init__(self, process: Process) -> None:
        self.store = DjangoStore(now=now)
        self.supervisor = Supervisor(
            [HOURLY, EVERYWHERE, FREQUENT],
            clock=SystemClock(),
            store=self.store,
            executor=LocalExecutor(1),
            leadership=process.leadership,
        )


async def test_three_processes_make_one_run_of_each_request_soon_and_in_the_one_that_leads(
    postgres_database: Any,
) -> None:
    async with processes("one", "two", "three") as group:
        replicas = [Replica(process) for process in group]
        for replica in replicas:
            await replica.supervisor.start()
        asked = {
            name: await ask(lambda name=name: requests.ask_run(name, by="anna")) for name in ("hourly", "everywhere")
        }  # type: ignore[misc]
        found = await eventually(lambda: _begun(asked))
        await asyncio.gather(*(replica.supervisor.drain(5) for replica in replicas))
        assert {run.task: run.scheduled_for for run in found} == asked
        assert next(run.replica for run in found if run.task == "hourly") == replicas[0].store.replica
        manual = [run for run in await rows() if run.trigger == Trigger.MANUAL]
        assert len(manual) == len(asked)


async def _begun(asked: dict[str, datetime]) -> list[TaskRun]:
    found = [run for run in await rows() if run.trigger == Trigger.MANUAL]
    return found if {run.task for run in found} == asked.keys() else []
