"""Urgent messages are sent at once, beside the task that runs every five seconds."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction

from notifications import outbox
from notifications.models import Notification, Status
from notifications.tasks import send_urgent_at_once
from tests.support.deadline import eventually

pytestmark = pytest.mark.django_db(transaction=True)


class CauseFailed(Exception):
    """What went wrong with the cause."""


@asynccontextmanager
async def serving():
    service = asyncio.create_task(send_urgent_at_once())
    try:
        yield service
    finally:
        service.cancel()
        with suppress(asyncio.CancelledError):
            await service


@pytest.fixture
def address(receiver, settings):
    settings.NOTIFY_URLS = [receiver.url]
    return receiver


@sync_to_async
def queue(*bodies, urgent=True, fails=False):
    with suppress(CauseFailed), transaction.atomic():
        for body in bodies:
            outbox.queue("Alarm", body, urgent=urgent)
        if fails:
            raise CauseFailed


async def statuses():
    return {row.body: row.status async for row in Notification.objects.all()}


async def becomes(expected):
    await eventually(lambda: has_become(expected), what=f"{expected}")


async def has_become(expected):
    return await statuses() == expected


async def test_what_is_urgent_is_sent_once_its_cause_is_committed(address):
    async with serving():
        await queue("one", "two")
        await becomes({"one": Status.SENT, "two": Status.SENT})

    assert address.bodies == ["one", "two"]


async def test_what_was_queued_before_the_service_is_up_is_sent_when_it_is(address):
    await queue("one")

    async with serving():
        await becomes({"one": Status.SENT})


async def test_what_is_not_urgent_is_left_to_the_task(address):
    await queue("plain", urgent=False)

    async with serving():
        await queue("urgent")
        await becomes({"plain": Status.PENDING, "urgent": Status.SENT})


async def test_nothing_is_sent_when_the_cause_is_rolled_back(address):
    async with serving():
        await queue("one", fails=True)
        await queue("two")
        await becomes({"two": Status.SENT})

    assert address.bodies == ["two"]


async def test_the_loop_goes_on_while_a_server_does_not_answer(address):
    address.hang()
    async with serving():
        await queue("one")
        await eventually(address.asked.is_set, what="a message at the server")
        assert await statuses() == {"one": Status.SENDING}
        address.go_on()
        await becomes({"one": Status.SENT})


async def test_a_drain_waits_for_no_server_and_the_message_in_hand_is_recorded_all_the_same(address):
    address.hang()
    async with serving() as service:
        await queue("one", "two")
        await eventually(address.asked.is_set, what="a message at the server")
        service.cancel()
        await asyncio.wait([service])
        assert service.cancelled()

    address.go_on()
    await becomes({"one": Status.SENT, "two": Status.PENDING})
