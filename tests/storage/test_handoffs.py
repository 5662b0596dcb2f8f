"""Runs that are handed off: of all that want one, one gets it, on every database."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connections

from asyncsched.engine.runs import Claim, Occurrence, Outcome, RunStatus
from asyncsched.models import HandOff, TaskRun
from asyncsched.storage import claims, handoffs, presence
from tests.engine.conftest import make_task
from tests.storage.conftest import now

pytestmark = pytest.mark.usefixtures("database")
TASK = make_task(name="crunch", executor="somewhere")
UNPICKED = Outcome(status=RunStatus.FAILED, error="no worker had it")
DONE = Outcome(status=RunStatus.SUCCEEDED, value="done")


def handed_off(*, owner: str = "first", minutes_ago: float = 0) -> str:
    """Return the id of a run that *owner* handed off, and has been heard of last so long ago."""
    at = now() - timedelta(minutes=minutes_ago)
    claim = claims.claim(TASK, Occurrence(task="crunch", scheduled_for=at), replica=owner, now=at)
    assert isinstance(claim, Claim)
    handoffs.offer(claim.run_id, task="crunch", executor="somewhere", owner=owner)
    return claim.run_id


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Return what *calls* return, made by as many processes at once, as far as the database knows."""

    def on_its_own_connection(call: Callable[[], Any]) -> Any:
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(on_its_own_connection, calls))


def taken_over(
    by: str, *, tasks: tuple[str, ...] = ("crunch",), at: datetime | None = None, attended: tuple[str, ...] = ()
) -> list[str]:
    """Return the ids of the runs that *by*, which knows *tasks* and has *attended* to some, attends to from now on."""
    claims = handoffs.take_over(tasks, owner=by, now=at or now(), term=None, knows_dead=True, attended=attended)
    return [claim.run_id for claim in claims]


def test_of_many_workers_one_picks_a_run_up() -> None:
    run_id = handed_off()
    answers = at_once(*(partial(handoffs.pick_up, run_id, f"worker:{number}") for number in range(6)))
    assert sorted(answers) == [False] * 5 + [True]
    seen = handoffs.look([run_id], "first")[run_id]
    assert seen.worker == f"worker:{answers.index(True)}"


def test_a_run_is_either_withdrawn_or_picked_up() -> None:
    for _ in range(3):
        run_id = handed_off()
        seen, picked_up = at_once(
            partial(handoffs.withdraw, run_id, UNPICKED, owner="first"),
            partial(handoffs.pick_up, run_id, "worker:1"),
        )
        assert (seen.outcome, bool(seen.worker)) == ((None, True) if picked_up else (UNPICKED, False))
        TaskRun.objects.all().update(status=RunStatus.SUCCEEDED)


def test_a_run_is_withdrawn_by_who_waits_for_it_and_what_a_worker_has_told_stays() -> None:
    run_id = handed_off()
    assert handoffs.withdraw(run_id, UNPICKED, owner="another") is None
    assert handoffs.pick_up(run_id, "worker:1")
    handoffs.end(run_id, DONE, done=0, total=None)
    for _ in range(2):  # who has not heard the answer asks again
        seen = handoffs.withdraw(run_id, UNPICKED, owner="first")
        assert seen is not None
        assert seen.outcome == DONE


def test_a_run_that_is_offered_twice_is_there_once_and_what_was_taken_back_may_be_offered_again() -> None:
    run_id = handed_off()
    again = partial(handoffs.offer, run_id, task="crunch", executor="somewhere", owner="first")
    again()
    assert HandOff.objects.count() == 1
    handoffs.take_back(run_id)
    assert not handoffs.pick_up(run_id, "worker:1")
    again()
    assert handoffs.pick_up(run_id, "worker:1")


def test_who_tells_first_how_a_run_ended_is_believed() -> None:
    run_id = handed_off()
    handoffs.pick_up(run_id, "worker:1")
    assert handoffs.beat(run_id, done=1, total=3)
    lost = Outcome(status=RunStatus.ABANDONED, error="lost")
    assert not handoffs.end_silent(run_id, lost, beats=0)  # it has been heard of since
    assert handoffs.end_silent(run_id, lost, beats=1)
    assert not handoffs.end(run_id, DONE, done=3, total=3)
    seen = handoffs.look([run_id], "first")[run_id]
    assert (seen.outcome, seen.done, seen.total) == (lost, 1, 3)


def test_a_worker_is_told_that_its_run_counts_as_ended() -> None:
    run_id = handed_off()
    handoffs.pick_up(run_id, "worker:1")
    TaskRun.objects.all().update(status=RunStatus.TIMED_OUT)
    assert not handoffs.beat(run_id, done=0, total=None)
    assert handoffs.overdue("crunch") == {run_id: 1}


def test_a_run_that_goes_on_is_not_overdue() -> None:
    handoffs.pick_up(handed_off(), "worker:1")
    assert handoffs.overdue("crunch") == {}


def test_texts_that_databases_refuse_are_told_all_the_same() -> None:
    run_id = handed_off()
    handoffs.pick_up(run_id, "worker:1")
    assert handoffs.end(run_id, Outcome(status=RunStatus.FAILED, error="a\0b \ud800"), done=0, total=None)
    seen = handoffs.look([run_id], "first")[run_id]
    assert seen.outcome is not None
    assert seen.outcome.error == "a\N{REPLACEMENT CHARACTER}b ?"


def test_a_run_that_was_left_is_taken_over_by_one_of_those_who_want_it_with_its_beginning() -> None:
    run_id = handed_off()
    handoffs.leave([run_id], "first")
    answers = at_once(partial(taken_over, "second"), partial(taken_over, "third"))
    assert sorted(answers) == [[], [run_id]]
    owner = ("second", "third")[answers.index([run_id])]
    assert handoffs.look([run_id], owner)
    assert not handoffs.look([run_id], "first")


def test_what_its_process_attends_to_is_not_taken_over() -> None:
    handed_off()
    assert taken_over("second") == []


def test_the_runs_of_a_process_that_is_not_heard_of_or_dead_are_taken_over() -> None:
    silent = handed_off(minutes_ago=2)
    assert taken_over("second") == [silent]
    TaskRun.objects.all().update(status=RunStatus.SUCCEEDED)
    presence.renew("dead", version="1", tasks=[], started_at=now(), now=now())
    presence.expire("dead", now())
    orphan = handed_off(owner="dead")
    assert taken_over("second") == [orphan]


def test_what_a_process_has_taken_over_without_hearing_so_it_takes_over_again() -> None:
    run_id = handed_off()
    handoffs.leave([run_id], "first")
    assert taken_over("second") == [run_id]
    assert taken_over("second") == []
    later = now() + claims.LEASE
    assert taken_over("second", at=later, attended=(run_id,)) == []
    assert taken_over("second", at=later) == [run_id]


def test_a_claim_that_is_taken_over_says_when_the_run_began() -> None:
    handed_off(minutes_ago=2)
    (claim,) = handoffs.take_over(["crunch"], owner="second", now=now(), term=None, knows_dead=True)
    assert claim.began_at == TaskRun.objects.get().started_at


def test_the_run_of_a_task_that_nobody_knows_any_more_is_abandoned_after_an_hour() -> None:
    handed_off(minutes_ago=50)
    assert taken_over("second", tasks=()) == []
    assert TaskRun.objects.get().status == RunStatus.RUNNING
    assert taken_over("second", tasks=(), at=now() + timedelta(minutes=11)) == []
    assert TaskRun.objects.get().status == RunStatus.ABANDONED
