"""Mail is relayed from the channel layer to all clients, and waits for the slow ones."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import pytest
from channels.layers import get_channel_layer

from asyncsched.web.mail import Mail, Mailbox, carry
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

    async def take(self, count):
        """Take so many messages, and no more."""
        wanted = len(self.received) + count
        for _ in range(count):
            self.may_take.release()
        await eventually(lambda: len(self.received) == wanted)


class FastClient:
    def __init__(self):
        self.received = []

    async def send(self, message):
        self.received.append(message["text"])


class GoneClient:
    def __init__(self):
        self.attempts = 0

    async def send(self, message):
        self.attempts += 1
        raise ConnectionResetError


@pytest.fixture
async def layer():
    layer = get_channel_layer()
    await layer.flush()
    yield layer
    await layer.flush()


def relay(**options):
    return Relay("people", read=lambda message: Mail(text=message["text"]), **options)


class BrokenServer:
    async def send(self, message):
        raise ValueError("this server sends no text")


class Crowd:
    """Clients of one loop; notes how many were sent to in each of its turns."""

    def __init__(self):
        self.turn = 0
        self.sent_in_turn = Counter()

    async def send(self, message):
        self.sent_in_turn[self.turn] += 1

    async def count_turns(self):
        while True:
            await asyncio.sleep(0)
            self.turn += 1


async def test_a_slow_client_loses_old_messages_but_never_the_newest():
    client = SlowClient()
    async with Mailbox(client.send, keep=1) as mailbox:
        for number in range(5):
            mailbox.put(Mail(text=str(number)))
            await carry([mailbox])
        await client.take(2)

    assert client.received == ["0", "4"]


async def test_a_slow_client_that_may_keep_several_gets_the_latest_of_them_in_order():
    client = SlowClient()
    async with Mailbox(client.send, keep=3) as mailbox:
        for number in range(9):
            mailbox.put(Mail(text=str(number)))
            await carry([mailbox])
        await client.take(4)

    assert client.received == ["0", "6", "7", "8"]


async def test_mail_that_is_not_newer_is_ignored():
    client = SlowClient()
    async with Mailbox(client.send, keep=10) as mailbox:
        for sequence in (1, 2, 2, 1, 3):
            mailbox.put(Mail(text=str(sequence), source="here", sequence=sequence))
        mailbox.put(Mail(text="other 1", source="elsewhere", sequence=1))
        await carry([mailbox])
        await client.take(4)

    assert client.received == ["1", "2", "3", "other 1"]


async def test_slow_clients_delay_nobody():
    slow, fast = [SlowClient() for _ in range(3)], [FastClient() for _ in range(100)]
    async with AsyncExitStack() as stack:
        clients = [fast[0], slow[0], slow[1], *fast[1:50], slow[2], *fast[50:]]
        mailboxes = [await stack.enter_async_context(Mailbox(client.send, keep=1)) for client in clients]
        for mailbox in mailboxes:
            mailbox.put(Mail(text="news"))
        await carry(mailboxes)
        await asyncio.sleep(0)
        assert all(client.received == ["news"] for client in fast)

        for client in slow:
            await client.take(1)


async def test_only_slow_clients_have_a_task_of_their_own():
    before, slow, fast = asyncio.all_tasks(), SlowClient(), FastClient()
    async with Mailbox(slow.send, keep=1) as one, Mailbox(fast.send, keep=1) as other:
        one.put(Mail(text="news"))
        other.put(Mail(text="news"))
        await carry([one, other])
        await eventually(lambda: fast.received == ["news"])
        await eventually(lambda: len(asyncio.all_tasks() - before) == 1)

        await slow.take(1)
        await eventually(lambda: asyncio.all_tasks() == before)


async def test_what_a_slow_client_has_not_taken_is_dropped_when_it_goes():
    client, before = SlowClient(), asyncio.all_tasks()
    async with Mailbox(client.send, keep=2) as mailbox:
        mailbox.put(Mail(text="news"))
        mailbox.put(Mail(text="more news"))
        await carry([mailbox])

    assert asyncio.all_tasks() == before
    assert client.received == []


async def test_a_client_that_goes_while_others_are_served_takes_nobody_with_it():
    slow, fast = SlowClient(), FastClient()
    async with Mailbox(fast.send, keep=1) as mailbox:
        async with Mailbox(slow.send, keep=1) as leaving:
            leaving.put(Mail(text="news"))
            mailbox.put(Mail(text="news"))
            carrying = asyncio.create_task(carry([leaving, mailbox]))
            await asyncio.sleep(0)  # now a carrier waits for the slow client, and the rest waits for it
        await carrying
        await eventually(lambda: fast.received == ["news"])


async def test_nothing_more_is_sent_to_a_client_that_has_gone():
    client = GoneClient()
    async with Mailbox(client.send, keep=1) as mailbox:
        for _ in range(3):
            mailbox.put(Mail(text="news"))
            await carry([mailbox])

    assert client.attempts == 1


async def test_a_server_that_fails_to_send_ends_the_connection_with_its_error():
    async def connection():
        async with Mailbox(BrokenServer().send, keep=1) as mailbox:
            mailbox.put(Mail(text="news"))
            await carry([mailbox])
            await asyncio.Event().wait()

    with pytest.raises(ValueError, match="no text"):
        await connection()


async def test_the_loop_gets_its_turn_while_many_clients_are_sent_to():
    crowd = Crowd()
    mailboxes = [Mailbox(crowd.send, keep=1) for _ in range(500)]
    for mailbox in mailboxes:
        mailbox.put(Mail(text="news"))
    counting = asyncio.create_task(crowd.count_turns())
    await carry(mailboxes)
    await eventually(lambda: crowd.sent_in_turn.total() == 500)
    counting.cancel()

    assert max(crowd.sent_in_turn.values()) <= 50


async def test_each_message_reaches_every_mailbox(layer):
    people, clients = relay(), [FastClient(), SlowClient()]
    async with (
        Mailbox(clients[0].send, keep=5) as one,
        Mailbox(clients[1].send, keep=5) as other,
        people.delivering_to(one),
        people.delivering_to(other),
    ):
        await layer.group_send("people", {"type": "message", "text": "hello"})
        await eventually(lambda: clients[0].received == ["hello"])
        await clients[1].take(1)

    assert clients[1].received == ["hello"]


async def test_a_relay_listens_only_while_somebody_does(layer):
    people = relay()
    async with people.delivering_to(Mailbox(SlowClient().send, keep=1)):
        assert "people" in layer.groups
    assert "people" not in layer.groups

    async with people.delivering_to(Mailbox(SlowClient().send, keep=1)):
        assert "people" in layer.groups


async def test_a_membership_the_layer_has_lost_is_renewed(layer):
    client = FastClient()
    async with Mailbox(client.send, keep=1) as mailbox, relay(silence=0.1).delivering_to(mailbox):
        await layer.flush()
        await eventually(lambda: "people" in layer.groups)
        await layer.group_send("people", {"type": "message", "text": "back"})
        await eventually(lambda: client.received == ["back"])
