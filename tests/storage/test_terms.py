"""Claims under leaders: who asks in a term that is over gets nothing, and what a dead leader left bars nobody."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from asyncsched import Every, Overlap
from asyncsched.engine.runs import Claim, Refusal, RunStatus, SkipReason, Trigger
from asyncsched.errors import StoreUnavailable
from asyncsched.models import Lease, Replica, TaskRun
from asyncsched.storage import claims, presence
from asyncsched.storage.database_time import database_now
from asyncsched.storage.lease import NAME
from tests.engine.conftest import make_task
from tests.storage.conftest import now
from tests.storage.test_store_contract import HOURLY, occurrence

pytestmark = pytest.mark.usefixtures("database")

QUEUED = make_task(schedule=Every(3600), name="hourly", overlap=Overlap.QUEUE)


def lead(term: int) -> None:
    Lease.objects.update_or_create(name=NAME, defaults={"term": term, "holder": f"leader of term {term}"})


def ask(term: int | None, hours: int = 0, task: Any = HOURLY, **facts: Any) -> Claim | Refusal:
    replica = f"leader of term {term}"
    return claims.claim(task, occurrence(task, hours, **facts), replica=replica, now=now(), term=term)


def alive(term: int, *, expires_in: float = 20) -> None:
    moment = database_now()
    Replica.objects.create(
        replica=f"leader of term {term}",
        version="",
        tasks={},
        started_at=moment,
        seen_at=moment + timedelta(seconds=expires_in) - presence.LIVES_IN_COMPANY,
        expires_at=moment + timedelta(seconds=expires_in),
    )


def refusal(reason: SkipReason, hours: int = 0) -> Refusal:
    return Refusal(occurrence=occurrence(hours=hours), reason=reason)


def test_the_leader_of_the_term_that_goes_on_is_granted_and_its_term_is_kept() -> None:
    lead(3)
    claim = ask(3)
    assert isinstance(claim, Claim)
    assert (claim.term, TaskRun.objects.get().term) == (3, 3)


def test_a_leader_of_the_past_is_refused_and_leaves_no_row() -> None:
    lead(4)
    assert ask(3) == refusal(SkipReason.NOT_LEADER)
    assert not TaskRun.objects.exists()


def test_where_nobody_is_elected_nobody_has_to_lead() -> None:
    lead(4)
    claim = ask(None)
    assert isinstance(claim, Claim)
    assert claim.term is None


def test_a_run_by_hand_needs_no_leader_and_bears_the_term_that_goes_on() -> None:
    lead(4)
    claim = ask(None, trigger=Trigger.MANUAL)
    assert isinstance(claim, Claim)
    assert claim.term == 4


def test_what_an_earlier_leader_has_claimed_and_may_give_back_is_not_decided_yet() -> None:
    lead(3)
    claim = ask(3)
    assert isinstance(claim, Claim)
    alive(3)
    lead(4)
    with pytest.raises(StoreUnavailable, match="may yet give it back"):
        ask(4)
    claims.withdraw(claim)
    assert isinstance(ask(4), Claim)


def test_once_it_has_run_it_is_claimed_for_good() -> None:
    lead(3)
    ask(3)
    TaskRun.objects.update(status=RunStatus.SUCCEEDED)
    lead(4)
    assert ask(4) == refusal(SkipReason.CLAIMED)


@pytest.mark.parametrize("die", [lambda: alive(3, expires_in=-1), lambda: presence_taken_over(3)])
def test_the_run_of_a_leader_known_to_be_dead_is_abandoned_at_once_and_bars_nobody(die: Callable[[], None]) -> None:
    lead(3)
    ask(3)
    die()
    lead(4)
    assert ask(4) == refusal(SkipReason.CLAIMED)
    assert isinstance(ask(4, hours=1), Claim)
    assert [run.status for run in TaskRun.objects.order_by("scheduled_for")] == ["abandoned", "running"]


def test_after_an_outage_of_the_database_that_everybodys_presence_has_expired_says_nothing() -> None:
    lead(3)
    ask(3)
    alive(3, expires_in=-1)
    claims.abandon_expired(now(), by="leader of term 4", knows_dead=False)
    assert TaskRun.objects.get().status == RunStatus.RUNNING


def test_but_not_of_one_whose_lead_was_taken_over() -> None:
    lead(3)
    ask(3)
    presence_taken_over(3)
    claims.abandon_expired(now(), by="leader of term 4", knows_dead=False)
    assert TaskRun.objects.get().status == RunStatus.ABANDONED


def test_who_asks_is_never_dead_itself() -> None:
    lead(3)
    ask(3)
    alive(3, expires_in=-1)
    claims.abandon_expired(now(), by="leader of term 3")
    assert TaskRun.objects.get().status == RunStatus.RUNNING


def presence_taken_over(term: int) -> None:
    alive(term)
    presence.expire(f"leader of term {term}", database_now())


def test_what_is_queued_waits_for_the_run_of_an_earlier_leader() -> None:
    lead(3)
    ask(3, task=QUEUED)
    alive(3)
    lead(4)
    with pytest.raises(StoreUnavailable, match="queued"):
        ask(4, hours=1, task=QUEUED)


def test_a_run_by_hand_is_not_queued_but_refused() -> None:
    lead(3)
    ask(3, task=QUEUED)
    by_hand = ask(None, hours=1, task=QUEUED, trigger=Trigger.MANUAL)
    assert isinstance(by_hand, Refusal)
    assert by_hand.reason is SkipReason.RUNNING_ELSEWHERE


class TestWhatIsToBeRunAgain:
    TASK = make_task(schedule=Every(3600), name="hourly", rerun_abandoned=True)

    def abandoned(self) -> list[int]:
        return [found.attempt for found in claims.abandoned([self.TASK], now())]

    def test_is_what_was_abandoned_until_there_is_another_attempt(self) -> None:
        lead(3)
        ask(3, task=self.TASK)
        assert self.abandoned() == []
        TaskRun.objects.update(status=RunStatus.ABANDONED)
        assert self.abandoned() == [1]
        ask(3, task=self.TASK, attempt=2)
        assert self.abandoned() == []
        TaskRun.objects.filter(attempt=2).update(status=RunStatus.ABANDONED)
        assert self.abandoned() == [2]

    def test_at_most_twice(self) -> None:
        lead(3)
        for attempt in (1, 2, 3):
            ask(3, task=self.TASK, attempt=attempt)
            TaskRun.objects.update(status=RunStatus.ABANDONED)
        assert self.abandoned() == []

    def test_not_what_somebody_ran_by_hand(self) -> None:
        ask(None, task=self.TASK, trigger=Trigger.MANUAL)
        TaskRun.objects.update(status=RunStatus.ABANDONED)
        assert self.abandoned() == []

    def test_not_what_lies_further_back_than_the_catch_up_window(self) -> None:
        ask(None, task=self.TASK)
        TaskRun.objects.update(status=RunStatus.ABANDONED, started_at=now() - timedelta(days=2))
        assert self.abandoned() == []
