"""The alarm's timers: the service that makes every change when it is due."""

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from alarm import arming, timers
from alarm.arming import Command, State
from alarm.board import board
from alarm.models import AlarmEvent, AlarmState
from asyncsched.registry import registry
from tests.support.deadline import eventually

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG = timedelta(hours=1)


@asynccontextmanager
async def service():
    task = asyncio.create_task(timers.keep())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def is_now(state):
    return (await sync_to_async(arming.current)()).state is state


@sync_to_async
def arm(**delay):
    return arming.command(Command.ARM_AWAY, by="user:anna", now=timezone.now(), exit_delay=timedelta(**delay))


@sync_to_async
def put(state, *, until):
    AlarmState.objects.update_or_create(pk=1, defaults={"state": state, "mode": "away", "until": until})


@sync_to_async
def events(kind):
    return list(AlarmEvent.objects.filter(kind=kind))


@pytest.mark.parametrize(
    ("until", "seconds"),
    [
        (None, 1.0),
        (NOW + timedelta(seconds=60), 1.0),
        (NOW + timedelta(milliseconds=20), 0.02),
        (NOW, 0.0),
        (NOW - timedelta(days=1), 0.0),
    ],
)
def test_it_sleeps_until_the_change_is_due_but_looks_every_second(until, seconds):
    assert timers.rest(until, NOW) == pytest.approx(seconds)


def test_it_runs_in_every_replica():
    assert {"alarm timers", "alarm push"} <= {service.name for service in registry.services}


@pytest.mark.django_db(transaction=True)
async def test_a_delay_ends_by_itself_and_not_early():
    async with service():
        status = await arm(milliseconds=150)
        await eventually(lambda: is_now(State.ARMED_AWAY))

    (event,) = await events("armed")
    assert event.created_at >= status.until
    assert board.status.state is State.ARMED_AWAY


@pytest.mark.django_db(transaction=True)
async def test_a_delay_that_ended_while_nobody_watched_triggers_at_the_start():
    await put(State.PENDING, until=timezone.now() - LONG)

    async with service():
        await eventually(lambda: is_now(State.TRIGGERED))

    status = await sync_to_async(arming.current)()
    assert status.until > timezone.now()


@pytest.mark.django_db(transaction=True)
async def test_a_delay_that_another_process_began_is_kept_too():
    async with service():
        await eventually(lambda: board.status)
        await put(State.ARMING, until=timezone.now() + timedelta(milliseconds=100))  # no bell rings here
        await eventually(lambda: is_now(State.ARMED_AWAY))


@pytest.mark.django_db(transaction=True)
async def test_what_runs_in_the_thread_all_share_does_not_delay_it():
    may_end = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with service():
        await eventually(lambda: board.status)
        await arm(milliseconds=100)
        blocker = asyncio.create_task(
            sync_to_async(lambda: asyncio.run_coroutine_threadsafe(may_end.wait(), loop).result())()
        )
        await eventually(lambda: board.status.state is State.ARMED_AWAY)
        may_end.set()
        await blocker
