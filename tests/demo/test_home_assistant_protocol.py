"""The simulated Home Assistant speaks the protocol as a real one does, in what clients trip over."""

from contextlib import asynccontextmanager

import aiohttp
import pytest

from demo.home_assistant import HomeAssistant
from tests.support.ports import free_port


@pytest.fixture
async def home():
    async with HomeAssistant(token="secret", port=free_port()) as home:
        home.set_entity("light.hall", "off", friendly_name="Hall")
        yield home


@asynccontextmanager
async def connected(home, token="secret"):
    """Open a WebSocket and say *token*; yield it, and the answer."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{home.url}/api/websocket") as socket:
        assert (await socket.receive_json())["type"] == "auth_required"
        await socket.send_json({"type": "auth", "access_token": token})
        yield socket, await socket.receive_json()


async def ask(socket, **message):
    """Send *message* and return the answer to it, passing over events."""
    await socket.send_json(message)
    while True:
        answer = await socket.receive_json()
        if answer["type"] != "event":
            return answer


async def test_a_wrong_token_is_refused_and_the_connection_closed(home):
    async with connected(home, "wrong") as (socket, answer):
        assert answer["type"] == "auth_invalid"
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_numbers_have_to_rise_and_commands_to_be_known(home):
    async with connected(home) as (socket, _):
        pong = await ask(socket, id=2, type="ping")
        errors = [
            (await ask(socket, id=2, type="ping"))["error"]["code"],
            (await ask(socket, id=3, type="make_coffee"))["error"]["code"],
            (await ask(socket, id=4, type="call_service", domain="light", service="explode"))["error"]["code"],
            (await ask(socket, type="ping"))["error"]["code"],
        ]

    assert pong == {"id": 2, "type": "pong"}
    assert errors == ["id_reuse", "unknown_command", "not_found", "invalid_format"]


async def test_what_is_no_json_ends_the_connection(home):
    async with connected(home) as (socket, _):
        await socket.send_str("{")

        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_a_service_changes_the_entity_and_who_subscribed_is_told(home):
    async with connected(home) as (socket, _):
        await ask(socket, id=1, type="subscribe_events", event_type="state_changed")
        target = {"entity_id": "light.hall"}
        await socket.send_json(
            {"id": 2, "type": "call_service", "domain": "light", "service": "toggle", "target": target}
        )
        event = (await socket.receive_json())["event"]
        result = await socket.receive_json()

    assert (event["event_type"], event["data"]["old_state"]["state"]) == ("state_changed", "off")
    assert event["data"]["new_state"]["state"] == "on"
    assert (result["id"], result["success"]) == (2, True)


async def test_what_is_set_to_what_it_is_is_no_change(home):
    async with connected(home) as (socket, _):
        await ask(socket, id=1, type="subscribe_events")
        home.set_entity("light.hall", "off", friendly_name="Hall")
        home.set_entity("light.hall", "off", friendly_name="Hall light")
        event = (await socket.receive_json())["event"]["data"]

    assert event["new_state"]["attributes"] == {"friendly_name": "Hall light"}
    assert event["new_state"]["last_changed"] == event["old_state"]["last_changed"]
    assert event["new_state"]["last_updated"] > event["old_state"]["last_updated"]
