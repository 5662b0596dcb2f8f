"""What a worker does with an order, whatever brings it, and however often."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from asyncsched import current_run
from asyncsched.engine.runs import Claim, Occurrence, Outcome, RunStatus
from asyncsched.executors.order import Order
from asyncsched.executors.worker import work
from asyncsched.models import HandOff, TaskRun
from asyncsched.registry import Registry, Task
from asyncsched.storage import claims, handoffs
from tests.engine.conftest import make_task

pytestmark = pytest.mark.usefixtures("shared_database", "nothing_left")
OWNER = "here:1:abc"


class Offered:
    """A run that somebody waits for, and that a worker may pick up."""

    def __init__(self, task: Task) -> None:
        occurrence = Occurrence(task=task.name, scheduled_for=timezone.now())
        claim = claims.claim(task, occurrence, replica=OWNER, now=timezone.now())
        assert isinstance(claim, Claim)
        self.id = claim.run_id
        handoffs.offer(self.id, task=task.name, executor="somewhere", owner=OWNER)
        self.order = Order(
            run_id=self.id,
            task=task.name,
            scheduled_for=occurrence.scheduled_for,
            trigger=occurrence.trigger,
            attempt=1,
            term=None,
            timeout=task.options.timeout,
            asks_predicate=False,
            log_lines=0,
        )

    def seen(self) -> handoffs.Seen:
        return handoffs.look([self.id], OWNER)[self.id]

    def counts_as(self, status: RunStatus) -> None:
        TaskRun.objects.filter(run_id=self.id).update(status=status)


@pytest.fixture
def offered(known: Registry) -> Callable[..., Offered]:
    """A factory of runs of a function that no worker has picked up yet."""

    def offer(function: Callable[[], Any], **options: Any) -> Offered:
        task = make_task(function, is_async=False, executor="somewhere", **options)
        known.add(task)
        return Offered(task)

    return offer


def rename_handoffs(to: str, back: str = "asyncsched_handoff") -> None:
    """Let it look as if the database were away, or back, for those who want to know of runs that are handed off."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {back} RENAME TO {to}")


def test_the_first_to_pick_a_run_up_tells_how_it_ended_and_the_second_does_not_begin(
    offered: Callable[..., Offered], caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[str] = []

    def counts() -> int:
        calls.append(current_run().id)
        current_run().progress(2, 5)
        return len(calls)

    run = offered(counts)
    with caplog.at_level(logging.INFO, "asyncsched.worker"):
        for _ in range(2):
            work(run.order, beat=60, host="somewhere")
    seen = run.seen()
    assert calls == [run.id]
    assert seen.worker.startswith("somewhere:")
    assert (seen.outcome.status, seen.outcome.value, seen.done, seen.total) == (RunStatus.SUCCEEDED, "1", 2, 5)
    assert caplog.text.count("not begun, it was picked up or withdrawn before") == 1


def test_what_was_withdrawn_is_not_begun(offered: Callable[..., Offered]) -> None:
    calls: list[str] = []
    run = offered(lambda: calls.append("called"))
    assert handoffs.withdraw(run.id, Outcome(status=RunStatus.FAILED), owner=OWNER)
    work(run.order, beat=60)
    assert calls == []


def test_what_counts_as_ended_already_is_not_begun(offered: Callable[..., Offered]) -> None:
    calls: list[str] = []
    run = offered(lambda: calls.append("called"))
    run.counts_as(RunStatus.TIMED_OUT)
    work(run.order, beat=60)
    assert calls == []
    assert not run.seen().worker


def test_a_run_that_cannot_be_picked_up_because_the_database_is_away_can_be_picked_up_later(
    offered: Callable[..., Offered],
) -> None:
    run = offered(lambda: "done")
    rename_handoffs(to="away")
    try:
        with pytest.raises(DatabaseError):
            work(run.order, beat=60)
    finally:
        rename_handoffs(to="asyncsched_handoff", back="away")
    work(run.order, beat=60)
    assert run.seen().outcome.value == "done"


def test_an_outcome_is_told_again_and_again_until_the_database_has_taken_it(
    offered: Callable[..., Offered], caplog: pytest.LogCaptureFixture
) -> None:
    class BringsItBack(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "cannot tell yet" in record.getMessage():
                rename_handoffs(to="asyncsched_handoff", back="away")

    handler = BringsItBack()
    logging.getLogger("asyncsched.worker").addHandler(handler)
    try:
        run = offered(lambda: rename_handoffs(to="away"))
        work(run.order, beat=60)
    finally:
        logging.getLogger("asyncsched.worker").removeHandler(handler)
    assert run.seen().outcome.status is RunStatus.SUCCEEDED
    assert "cannot tell yet that it succeeded" in caplog.text


def test_a_worker_says_again_and_again_that_it_lives_and_how_far_the_run_is(offered: Callable[..., Offered]) -> None:
    def goes_on_until_it_is_seen() -> None:
        current_run().progress(1, 2)
        while run.seen().beats < 3:
            assert run.seen().done in (None, 1)

    run = offered(goes_on_until_it_is_seen)
    work(run.order, beat=0.02)
    assert run.seen().outcome.status is RunStatus.SUCCEEDED


def test_a_run_that_nobody_waits_for_any_more_is_asked_to_stop_and_what_it_says_counts_no_more(
    offered: Callable[..., Offered], caplog: pytest.LogCaptureFixture
) -> None:
    def goes_on_until_it_is_told() -> None:
        assert handoffs.end_silent(run.id, handoffs.Outcome(status=RunStatus.ABANDONED), beats=run.seen().beats)
        while not current_run().stopping:
            pass

    run = offered(goes_on_until_it_is_told)
    work(run.order, beat=0.02)
    assert run.seen().outcome.status is RunStatus.ABANDONED
    assert "succeeded, but counts as ended already" in caplog.text


def test_a_plain_function_that_is_over_its_time_is_asked_to_stop(offered: Callable[..., Offered]) -> None:
    def goes_on_until_it_is_told() -> None:
        while not current_run().stopping:
            pass

    run = offered(goes_on_until_it_is_told, timeout=0.05)
    work(run.order, beat=60)
    assert run.seen().outcome.status is RunStatus.TIMED_OUT
    assert HandOff.objects.get(run_id=run.id).state == "ended"
