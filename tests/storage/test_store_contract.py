"""What every store promises the engine."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from asyncsched import Every, Overlap
from asyncsched.engine.ports import Requests
from asyncsched.engine.runs import (
    Claim,
    Occurrence,
    Refusal,
    RunResult,
    RunStatus,
    Settled,
    Skipped,
    SkipReason,
    Trigger,
)
from asyncsched.errors import StoreUnavailable
from asyncsched.testing import MemoryStore
from tests.engine.conftest import make_task

HOURLY = make_task(schedule=Every(3600), name="hourly")
SUBMINUTE = make_task(schedule=Every(2), name="subminute")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def occurrence(task: Any = HOURLY, hours: int = 0, **facts: Any) -> Occurrence:
    return Occurrence(task=task.name, scheduled_for=NOON + timedelta(hours=hours), **facts)


def result(claim: Claim, status: RunStatus = RunStatus.SUCCEEDED, **facts: Any) -> RunResult:
    moment = claim.occurrence.scheduled_for
    return RunResult(claim=claim, status=status, started_at=moment, finished_at=moment, duration=0.0, **facts)


async def test_an_occurrence_is_granted_once(make_store: Any) -> None:
    one, other = make_store(), make_store()
    claim = await one.claim(HOURLY, occurrence())
    assert isinstance(claim, Claim)
    one.record(result(claim))
    await one.close(5)
    refusal = await other.claim(HOURLY, occurrence())
    assert refusal == Refusal(occurrence=occurrence(), reason=SkipReason.CLAIMED)
    await other.close(5)


async def test_a_claim_that_came_too_late_is_given_back_and_can_be_granted_again(make_store: Any) -> None:
    one, other = make_store(), make_store()
    claim = await one.claim(HOURLY, occurrence())
    assert isinstance(claim, Claim)
    one.release(claim)
    await one.close(5)
    assert isinstance(await other.claim(HOURLY, occurrence()), Claim)
    await other.close(5)


async def test_a_retry_is_an_attempt_of_its_own(make_store: Any) -> None:
    store = make_store()
    for attempt in (1, 2):
        claim = await store.claim(HOURLY, occurrence(attempt=attempt))
        assert isinstance(claim, Claim)
        store.record(result(claim, RunStatus.FAILED, error="no"))
        await store.close(5)
        store = make_store()
    await store.close(5)


async def not_now(store: Any, wanted: Occurrence) -> bool:
    """True if *wanted* is refused because the task runs, or left undecided because that process may be dead."""
    try:
        answer = await store.claim(HOURLY, wanted)
    except StoreUnavailable:
        return True
    return answer == Refusal(occurrence=wanted, reason=SkipReason.RUNNING_ELSEWHERE)


async def test_whoever_loses_an_occurrence_that_is_going_on_hears_that_it_is_claimed(make_store: Any) -> None:
    one, other = make_store(), make_store()
    assert isinstance(await one.claim(HOURLY, occurrence()), Claim)
    assert await other.claim(HOURLY, occurrence()) == Refusal(occurrence=occurrence(), reason=SkipReason.CLAIMED)
    await one.close(5)
    await other.close(5)


async def test_a_task_that_runs_is_not_granted_again(make_store: Any) -> None:
    one, other = make_store(), make_store()
    assert isinstance(await one.claim(HOURLY, occurrence()), Claim)
    assert await not_now(other, occurrence(hours=1))
    await one.close(5)
    await other.close(5)


async def test_unless_it_allows_overlap(make_store: Any) -> None:
    task = make_task(schedule=Every(3600), name="hourly", overlap=Overlap.ALLOW)
    store = make_store()
    for hours in (0, 1):
        assert isinstance(await store.claim(task, occurrence(hours=hours)), Claim)
    await store.close(5)


async def test_many_who_ask_at_once_get_one_claim(make_store: Any) -> None:
    stores = [make_store() for _ in range(5)]
    answers = await asyncio.gather(*(store.claim(HOURLY, occurrence()) for store in stores))
    assert sum(isinstance(answer, Claim) for answer in answers) == 1
    await asyncio.gather(*(store.close(5) for store in stores))


async def test_subminute_occurrences_are_granted_without_a_row(make_store: Any) -> None:
    store = make_store()
    claim = await store.claim(SUBMINUTE, occurrence(SUBMINUTE))
    assert isinstance(claim, Claim)
    assert not claim.has_row
    await store.close(5)


async def test_closing_twice_is_harmless(make_store: Any) -> None:
    store = make_store()
    await store.load([HOURLY])
    await store.close(5)
    await store.close(5)


async def test_nothing_is_paused_or_asked_for_at_first(make_store: Any) -> None:
    store = make_store()
    assert await store.next_requests() == Requests()
    await store.close(5)


async def test_what_is_settled_is_known_to_the_next_process(make_store: Any) -> None:
    store = make_store()
    await store.load([HOURLY])
    store.settle(Settled(task="hourly", until=NOON))
    await store.close(5)
    following = make_store()
    assert (await following.load([HOURLY]))["hourly"].cursor == NOON
    await following.close(5)


def skipped(task: Any, reason: SkipReason = SkipReason.OVERLAP, seconds: float = 0, **facts: Any) -> Skipped:
    name = task if isinstance(task, str) else task.name
    return Skipped(task=name, scheduled_for=NOON + timedelta(seconds=seconds), reason=reason, **facts)


async def test_what_was_skipped_is_settled(make_store: Any) -> None:
    store = make_store()
    await store.load([HOURLY])
    store.skip(skipped(HOURLY))
    await store.close(5)
    following = make_store()
    assert (await following.load([HOURLY]))["hourly"].cursor == NOON
    await following.close(5)


async def test_what_came_due_while_the_process_stopped_is_left_to_the_next(make_store: Any) -> None:
    store = make_store()
    await store.load([HOURLY])
    store.settle(Settled(task="hourly", until=NOON))
    store.skip(skipped(HOURLY, SkipReason.SHUTTING_DOWN, seconds=3600))
    await store.close(5)
    following = make_store()
    assert (await following.load([HOURLY]))["hourly"].cursor == NOON
    await following.close(5)


async def test_a_task_that_is_registered_no_more_is_remembered_and_stays_as_it_was(make_store: Any) -> None:
    store = make_store()
    await store.load([HOURLY])
    store.settle(Settled(task="hourly", until=NOON))
    await store.close(5)
    for _ in range(2):
        store = make_store()
        assert (await store.load([SUBMINUTE]))["hourly"].cursor == NOON
        store.skip(skipped(HOURLY, SkipReason.UNKNOWN_TASK, seconds=3600))
        await store.close(5)


async def ask_for_run(store: Any) -> datetime:
    """Somebody asks for a run of HOURLY; return since when."""
    if isinstance(store, MemoryStore):
        asked_at = datetime.now(UTC)
        store.ask("hourly", asked_at)
        return asked_at

    def ask() -> datetime:
        from asyncsched.storage import connections, requests

        with connections.thread_connections():
            return requests.ask_run("hourly", by="anna")

    return await asyncio.to_thread(ask)


async def test_a_run_that_is_asked_for_is_told_of_until_it_begins_or_is_dropped(make_store: Any) -> None:
    store = make_store()
    await store.load([HOURLY])
    asked_at = await ask_for_run(store)
    assert (await store.next_requests()).asked == {"hourly": asked_at}
    await store.claim_asked(HOURLY, Occurrence(task="hourly", scheduled_for=asked_at, trigger=Trigger.MANUAL))
    store.expire("hourly", await ask_for_run(store))
    assert (await store.next_requests()).asked == {}
    await store.close(5)


async def test_one_that_is_asked_for_is_granted_once_and_waits_for_the_one_before(make_store: Any) -> None:
    one, other = make_store(), make_store()
    first = Occurrence(task="hourly", scheduled_for=await ask_for_run(one), trigger=Trigger.MANUAL)
    assert isinstance(await one.claim_asked(HOURLY, first), Claim)
    assert await other.claim_asked(HOURLY, first) == Refusal(occurrence=first, reason=SkipReason.CLAIMED)
    second = Occurrence(task="hourly", scheduled_for=await ask_for_run(one), trigger=Trigger.MANUAL)
    with pytest.raises(StoreUnavailable):
        await other.claim_asked(HOURLY, second)
    await one.close(5)
    await other.close(5)
