"""Mail waits for slow clients, and is relayed from the channel layer to all of them."""

import asyncio

import pytest
from channels.layers import get_channel_layer

from asyncsched.web.mail import Mail, Mailbox
from asyncsched.web.relay import Relay
from tests.support.deadline import eventually


class SlowClient:
    """Takes a message only when told to."""

    def __init__(self):
        self.received = []
        self.may_take = asyncio.Semaphore(0)

    async def send(self, message):
        await self.may_take.acquire()
        self.received.append(message["text"])


class GoneClient:
    async def send(self, message):
        raise ConnectionResetError


@pytest.fixture
async def layer():
    layer = get_channel_layer()
    await layer.flush()
    yield layer
    await layer.flush()


def relay(**options):
    return Relay("people", read=lambda message: Mail(text=message["text"]), **options)


async def forwarding(mailbox, client):
    task = asyncio.create_task(mailbox.forward(client.send))
    await asyncio.sleep(0)
    return task


async def test_a_slow_client_loses_old_messages_but_never_the_newest():
    mailbox, client = Mailbox(keep=1), SlowClient()
    task = await forwarding(mailbox, client)
    for number in range(5):
        mailbox.put(Mail(text=str(number)))
        await asyncio.sleep(0)

    client.may_take.release()
    client.may_take.release()
    await eventually(lambda: len(client.received) == 2)
    task.cancel()

    assert client.received == ["0", "4"]


async def test_mail_that_is_not_newer_is_ignored():
    mailbox, client = Mailbox(keep=10), SlowClient()
    for sequence in (1, 2, 2, 1, 3):
        mailbox.put(Mail(text=str(sequence), source="here", sequence=sequence))
    mailbox.put(Mail(text="other 1", source="elsewhere", sequence=1))
    for _ in range(10):
        client.may_take.release()
    task = await forwarding(mailbox, client)
    await eventually(lambda: len(client.received) >= 4)
    task.cancel()

    assert client.received == ["1", "2", "3", "other 1"]


async def test_forwarding_ends_quietly_when_the_client_is_gone():
    mailbox = Mailbox(keep=1)
    mailbox.put(Mail(text="news"))

    await asyncio.wait_for(mailbox.forward(GoneClient().send), 5)


async def test_each_message_reaches_every_mailbox(layer):
    one, other, clients = Mailbox(keep=5), Mailbox(keep=5), [SlowClient(), SlowClient()]
    people = relay()
    async with people.delivering_to(one), people.delivering_to(other):
        tasks = [await forwarding(one, clients[0]), await forwarding(other, clients[1])]
        await layer.group_send("people", {"type": "message", "text": "hello"})
        for client in clients:
            client.may_take.release()
        await eventually(lambda: all(client.received == ["hello"] for client in clients))
        for task in tasks:
            task.cancel()


async def test_a_relay_listens_only_while_somebody_does(layer):
    people = relay()
    async with people.delivering_to(Mailbox(keep=1)):
        assert "people" in layer.groups
    assert "people" not in layer.groups

    async with people.delivering_to(Mailbox(keep=1)):
        assert "people" in layer.groups


async def test_a_membership_the_layer_has_lost_is_renewed(layer):
    mailbox, client = Mailbox(keep=1), SlowClient()
    client.may_take.release()
    async with relay(silence=0.1).delivering_to(mailbox):
        task = await forwarding(mailbox, client)
        await layer.flush()
        await eventually(lambda: "people" in layer.groups)
        await layer.group_send("people", {"type": "message", "text": "back"})
        await eventually(lambda: client.received == ["back"])
        task.cancel()
