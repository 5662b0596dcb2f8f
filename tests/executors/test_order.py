"""What travels to another process says all that is to be known there, and is carried out as here."""

import json
import logging
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from asyncsched import current_run
from asyncsched.engine.context import Run
from asyncsched.engine.runs import Claim, Occurrence, Outcome, RunStatus, Trigger
from asyncsched.executors.order import Order, perform
from asyncsched.registry import Registry, Task
from tests.engine.conftest import make_task

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def order_for(task: Task, *, log_lines: int = 10) -> Order:
    occurrence = Occurrence(task=task.name, scheduled_for=NOON, trigger=Trigger.CATCH_UP, attempt=2)
    return Order.of(task, Run(Claim(run_id="c" * 32, occurrence=occurrence, term=7)), log_lines=log_lines)


def sync_task(function: Any, **options: Any) -> Task:
    return make_task(function, is_async=False, **options)


def test_an_order_comes_out_of_json_as_it_went_in() -> None:
    order = order_for(make_task(timeout=2.5, enabled_when=lambda: True))
    assert Order.from_dict(json.loads(json.dumps(order.to_dict()))) == order
    assert (order.scheduled_for, order.trigger, order.attempt, order.term) == (NOON, Trigger.CATCH_UP, 2, 7)
    assert (order.timeout, order.asks_predicate, order.log_lines) == (2.5, True, 10)


def test_what_another_version_has_written_differently_is_refused() -> None:
    told = order_for(make_task()).to_dict()
    with pytest.raises(TypeError):
        Order.from_dict(told | {"colour": "red"})
    with pytest.raises(ValueError, match="teatime"):
        Order.from_dict(told | {"trigger": "teatime"})


def test_each_of_two_runs_in_one_process_keeps_its_own_log_lines(known: Registry, shared_database: str) -> None:
    both_run = threading.Barrier(2, timeout=30)

    def says_who_it_is() -> None:
        both_run.wait()
        logging.getLogger("errands").warning("I am %s", current_run().id[0])
        both_run.wait()

    task = sync_task(says_who_it_is)
    known.add(task)
    outcomes: dict[str, Outcome] = {}

    def carry_out(letter: str) -> None:
        order = Order.from_dict(order_for(task).to_dict() | {"run_id": letter * 32})
        outcomes[letter] = perform(order, order.to_run())

    threads = [threading.Thread(target=carry_out, args=letter) for letter in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [outcomes[letter].log.rpartition("errands: ")[2] for letter in "ab"] == ["I am a", "I am b"]
    assert all(outcome.log.count("\n") == 0 for outcome in outcomes.values())


def test_no_more_log_lines_are_kept_than_are_ordered(known: Registry, shared_database: str) -> None:
    def says_much() -> None:
        for number in range(5):
            logging.getLogger("errands").warning("%d", number)

    task = sync_task(says_much)
    known.add(task)
    lines = [
        perform(order, order.to_run()).log for order in (order_for(task, log_lines=2), order_for(task, log_lines=0))
    ]
    assert [line[-1] for line in lines[0].splitlines()[1:]] == ["3", "4"]
    assert lines[1] is None


def test_an_error_by_which_the_worker_ends_the_function_means_what_the_worker_says(
    known: Registry, shared_database: str
) -> None:
    def is_interrupted() -> None:
        raise KeyError("the worker's own")

    task = sync_task(is_interrupted)
    known.add(task)
    order = order_for(task)
    cut_off = Outcome(status=RunStatus.CANCELLED, error="stopped")
    outcome = perform(order, order.to_run(), meaning=lambda _: cut_off)
    assert (outcome.status, outcome.error) == (cut_off.status, cut_off.error)
    assert perform(order, order.to_run(), meaning=lambda _: None).error == 'KeyError: "the worker\'s own"'


def test_a_function_that_raises_what_ends_loops_has_failed(known: Registry, shared_database: str) -> None:
    def is_interrupted() -> None:
        raise KeyboardInterrupt

    task = sync_task(is_interrupted)
    known.add(task)
    order = order_for(task)
    assert perform(order, order.to_run()).status is RunStatus.FAILED


def test_who_ends_after_the_time_limit_is_over_its_time_whatever_it_returns(
    known: Registry, shared_database: str
) -> None:
    task = sync_task(lambda: "done", timeout=1e-9)
    known.add(task)
    order = order_for(task)
    outcome = perform(order, order.to_run())
    assert (outcome.status, outcome.value) == (RunStatus.TIMED_OUT, None)


def test_an_outcome_says_when_the_function_ended(known: Registry, shared_database: str) -> None:
    known.add(task := sync_task(lambda: None))
    order = order_for(task)
    before = datetime.now(UTC)
    finished_at = perform(order, order.to_run()).finished_at
    assert finished_at is not None
    assert before <= finished_at <= datetime.now(UTC)


def test_an_outcome_travels_as_json() -> None:
    outcome = Outcome(status=RunStatus.FAILED, error="no", finished_at=datetime(2026, 1, 1, 12, tzinfo=UTC))
    told = json.loads(json.dumps(outcome.to_dict()))
    assert Outcome.from_dict(told) == outcome
    assert Outcome.from_dict(told | {"colour": "red"}) == outcome  # during a deploy the worker may be newer
