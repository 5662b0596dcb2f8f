"""One client of a push socket, from its handshake to its end, without a server."""

import asyncio

import pytest
from channels.layers import get_channel_layer
from django.contrib.auth.models import AnonymousUser

from asyncsched.web.mail import Mail
from asyncsched.web.relay import Relay
from asyncsched.web.sockets import PushSocket, open_sockets
from tests.support.deadline import eventually

ACCEPTED = {"type": "websocket.accept"}
GOODBYE = {"type": "websocket.close", "code": 4503}


class Connection:
    """What a server is to the socket: says what the client does, takes what is sent."""

    def __init__(self, socket):
        self._said = asyncio.Queue()
        self.sent = []
        self.serving = asyncio.create_task(socket({"user": AnonymousUser()}, self._said.get, self.send))
        self.say("websocket.connect")

    def say(self, kind):
        self._said.put_nowait({"type": kind})

    async def send(self, message):
        self.sent.append(message)

    async def opened(self):
        await eventually(lambda: text("hello") in self.sent)
        return self


def text(words):
    return {"type": "websocket.send", "text": words}


@pytest.fixture
async def layer():
    layer = get_channel_layer()
    await layer.flush()
    yield layer
    await layer.flush()


@pytest.fixture
async def socket(layer):
    relay = Relay("people", read=lambda message: Mail(text=message["text"]))
    return PushSocket(relay, refusal=lambda _: None, opening=lambda _: [Mail(text="hello")])


async def drain():
    """Do what the scheduler does with its service when the server stops."""
    holding = asyncio.create_task(open_sockets.hold())
    await asyncio.sleep(0)
    holding.cancel()
    await asyncio.wait([holding])


async def test_a_client_gets_what_is_pushed_after_what_it_gets_at_once(socket, layer):
    client = await Connection(socket).opened()
    await layer.group_send("people", {"type": "message", "text": "news"})
    await eventually(lambda: len(client.sent) == 3)
    client.say("websocket.disconnect")
    await client.serving

    assert client.sent == [ACCEPTED, text("hello"), text("news")]


async def test_an_idle_client_costs_the_task_in_which_the_server_runs_it_and_no_other(socket):
    before = asyncio.all_tasks()
    clients = [await Connection(socket).opened() for _ in range(3)]
    the_relay = 1
    await eventually(lambda: len(asyncio.all_tasks() - before) == len(clients) + the_relay)

    for client in clients:
        client.say("websocket.disconnect")
        await client.serving
    assert asyncio.all_tasks() == before


async def test_what_a_client_says_does_not_end_its_connection(socket, layer):
    client = await Connection(socket).opened()
    client.say("websocket.receive")
    await layer.group_send("people", {"type": "message", "text": "news"})
    await eventually(lambda: text("news") in client.sent)
    client.say("websocket.disconnect")
    await client.serving


async def test_a_drain_says_goodbye_to_every_client_and_waits_for_their_answers(socket):
    clients = [await Connection(socket).opened() for _ in range(3)]
    draining = asyncio.create_task(drain())
    await eventually(lambda: all(client.sent[-1] == GOODBYE for client in clients))
    assert not draining.done()

    for client in clients:
        client.say("websocket.disconnect")
    await draining
    assert all(client.serving.done() and not client.serving.cancelled() for client in clients)


async def test_a_server_that_cancels_its_application_lets_it_say_goodbye(socket):
    client = await Connection(socket).opened()
    client.serving.cancel()
    await eventually(lambda: client.sent[-1] == GOODBYE)
    client.say("websocket.disconnect")
    await asyncio.wait([client.serving])

    assert client.serving.cancelled()
