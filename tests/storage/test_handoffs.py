"""Who may run, tell of and wait for a run that was handed off: on each database, by one conditional write each."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from asyncsched import Every
from asyncsched.engine.runs import Claim, Occurrence, Outcome, RunResult, RunStatus
from asyncsched.models import HandOff, Replica, TaskRun
from asyncsched.storage import claims, handoffs
from asyncsched.storage.store import DjangoStore
from tests.engine.conftest import make_task

TASK = make_task(schedule=Every(3600), name="nightly", executor="celery")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DONE = Outcome(status=RunStatus.SUCCEEDED, value="3 rows")
DEAD = Outcome(status=RunStatus.ABANDONED, error="its worker ended without a word")

pytestmark = pytest.mark.usefixtures("database")


def now() -> datetime:
    return datetime.now(UTC)


def handed_off(store: DjangoStore, task: Any = TASK, hours: int = 0) -> Claim:
    """A run that *store*'s process has claimed and handed off."""
    occurrence = Occurrence(task=task.name, scheduled_for=NOON + timedelta(hours=hours))
    claim = claims.claim(task, occurrence, replica=store.replica, now=now())
    assert isinstance(claim, Claim)
    handoffs.offer(claim.run_id, task=task.name, executor="celery", owner=store.replica)
    return claim


def process(*tasks: Any) -> DjangoStore:
    return DjangoStore(now=now)


def take_over(owner: DjangoStore, *tasks: str, at: datetime | None = None) -> list[Claim]:
    names = tasks or (TASK.name,)
    return handoffs.take_over(names, owner=owner.replica, now=at or now(), term=None, knows_dead=True)


class TestAWorker:
    def test_picks_up_what_no_other_has(self) -> None:
        run = handed_off(process()).run_id
        assert handoffs.pick_up(run, "one")
        assert not handoffs.pick_up(run, "two")
        assert HandOff.objects.get().worker == "one"

    def test_of_several_at_the_same_time_is_one(self) -> None:
        run = handed_off(process()).run_id

        def pick_up(number: int) -> bool:
            from django.db import connection

            try:
                return handoffs.pick_up(run, f"worker {number}")
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as threads:
            assert sum(threads.map(pick_up, range(8))) == 1

    def test_does_not_pick_up_what_was_withdrawn_or_never_offered(self) -> None:
        run = handed_off(process()).run_id
        assert handoffs.withdraw(run)
        assert not handoffs.pick_up(run, "one")
        assert not handoffs.pick_up("0" * 32, "one")

    def test_that_has_a_run_keeps_it_from_being_withdrawn(self) -> None:
        run = handed_off(process()).run_id
        handoffs.pick_up(run, "one")
        assert not handoffs.withdraw(run)

    def test_tells_once_how_its_run_ended(self) -> None:
        owner = process()
        run = handed_off(owner).run_id
        handoffs.pick_up(run, "one")
        assert handoffs.end(run, DONE, done=3, total=3)
        assert not handoffs.end(run, DEAD, done=3, total=3)
        assert handoffs.look([run], owner.replica)[run].outcome == DONE

    def test_that_was_taken_for_dead_tells_nothing_any_more(self) -> None:
        owner = process()
        run = handed_off(owner).run_id
        handoffs.pick_up(run, "one")
        assert handoffs.end_silent(run, DEAD, beats=0)
        assert not handoffs.end(run, DONE, done=3, total=3)
        assert handoffs.look([run], owner.replica)[run].outcome == DEAD

    def test_that_was_heard_of_meanwhile_is_not_dead(self) -> None:
        run = handed_off(process()).run_id
        handoffs.pick_up(run, "one")
        assert handoffs.beat(run, done=1, total=3)
        assert not handoffs.end_silent(run, DEAD, beats=0)

    def test_learns_from_its_sign_of_life_that_its_run_counts_as_ended(self) -> None:
        run = handed_off(process()).run_id
        handoffs.pick_up(run, "one")
        TaskRun.objects.update(status=RunStatus.TIMED_OUT)
        assert not handoffs.beat(run, done=1, total=None)


class TestARunWhoseProcessHasLeftIt:
    def test_is_taken_over_once_under_its_own_id_and_from_when_it_began(self) -> None:
        first, second, third = process(), process(), process()
        claim = handed_off(first)
        handoffs.leave([claim.run_id], first.replica)
        (taken,) = take_over(second)
        assert (taken.run_id, taken.occurrence, taken.has_row) == (claim.run_id, claim.occurrence, True)
        assert taken.began_at == TaskRun.objects.get().started_at
        assert take_over(third) == []
        assert list(handoffs.look([claim.run_id], second.replica)) == [claim.run_id]

    def test_is_no_longer_that_processes(self) -> None:
        first, second = process(), process()
        run = handed_off(first).run_id
        handoffs.leave([run], first.replica)
        take_over(second)
        assert handoffs.look([run], first.replica) == {}

    def test_is_taken_over_by_a_store_that_then_keeps_it_alive(self) -> None:
        first, second = process(), process()
        claim = handed_off(first)
        handoffs.leave([claim.run_id], first.replica)

        async def scenario() -> None:
            await second.load([TASK])
            (taken,) = await second.take_over()
            second.record(
                RunResult(claim=taken, status=RunStatus.SUCCEEDED, started_at=NOON, finished_at=now(), duration=1.0)
            )
            await second.close(5)

        asyncio.run(scenario())
        assert TaskRun.objects.get().status == RunStatus.SUCCEEDED

    def test_that_lives_is_not_taken_over(self) -> None:
        claim = handed_off(process())
        assert take_over(process()) == []
        assert TaskRun.objects.get(run_id=claim.run_id).status == RunStatus.RUNNING

    def test_by_its_death_is_taken_over_and_not_abandoned(self) -> None:
        first, second = process(), process()
        claim = handed_off(first)
        long_ago = now() - timedelta(minutes=10)
        Replica.objects.create(
            replica=first.replica, version="1", tasks={}, started_at=long_ago, seen_at=long_ago, expires_at=long_ago
        )
        claims.abandon_expired(now(), by=second.replica)
        assert TaskRun.objects.get().status == RunStatus.RUNNING
        assert [taken.run_id for taken in take_over(second)] == [claim.run_id]

    def test_by_its_silence_is_taken_over(self) -> None:
        claim = handed_off(process())
        assert [taken.run_id for taken in take_over(process(), at=now() + claims.LEASE)] == [claim.run_id]

    def test_keeps_its_task_from_running_beside_it(self) -> None:
        first, second = process(), process()
        handoffs.leave([handed_off(first).run_id], first.replica)
        occurrence = Occurrence(task=TASK.name, scheduled_for=NOON + timedelta(hours=1))
        with pytest.raises(Exception, match="another process runs the task"):
            claims.claim(TASK, occurrence, replica=second.replica, now=now())

    def test_is_abandoned_if_nobody_has_known_its_task_for_an_hour(self) -> None:
        first, second = process(), process()
        handoffs.leave([handed_off(first).run_id], first.replica)
        assert take_over(second, "another") == []
        assert TaskRun.objects.get().status == RunStatus.RUNNING  # a deploy may be under way
        assert take_over(second, "another", at=now() + handoffs.UNKNOWN_FOR) == []
        assert TaskRun.objects.get().status == RunStatus.ABANDONED


def test_what_ended_without_being_handed_off_is_not_taken_over() -> None:
    occurrence = Occurrence(task=TASK.name, scheduled_for=NOON)
    claims.claim(TASK, occurrence, replica="dead", now=now() - timedelta(hours=1))
    assert take_over(process()) == []
    claims.abandon_expired(now(), by="other")
    assert TaskRun.objects.get().status == RunStatus.ABANDONED


def test_runs_over_their_time_whose_workers_go_on_are_known_by_their_task() -> None:
    run = handed_off(process()).run_id
    handoffs.pick_up(run, "one")
    assert handoffs.overdue(TASK.name) == {}
    TaskRun.objects.update(status=RunStatus.TIMED_OUT)
    assert handoffs.overdue(TASK.name) == {run: 0}
