"""A Home Assistant that goes wrong: said on the board, survived, and everything is right again afterwards."""

import asyncio
import logging
from dataclasses import replace

import pytest

from home.home_assistant.errors import HomeAssistantError, TokenRefused
from home.home_assistant.live import Patience
from tests.home.following import QUICK, become, error, following, is_connected
from tests.support.deadline import eventually
from tests.support.tcp_proxy import TcpProxy

pytestmark = pytest.mark.django_db(transaction=True)

IMPATIENT = replace(QUICK, ping_every=0.05, pong=0.3)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("closes_at_once", "closed the connection"),
        ("malformed", "makes no sense: not JSON"),
        ("binary", "sent bytes where text belongs"),
        ("deep", "makes no sense"),
        ("huge_frame", "more than 33554432 bytes"),
        ("dies", "closed the connection"),
        ("refuses_commands", "refused a command"),
        ("strange", "makes no sense to get_config"),
        ("refuses_websocket", "answered 404 to the WebSocket's handshake"),
        ("redirect", "wants to send us elsewhere"),
        ("silent", "did not answer within 0.3 s"),
    ],
)
async def test_what_goes_wrong_is_said_and_over_when_it_is_over(home_assistant, fault, says):
    home_assistant.set_entity("light.hall", "on")
    home_assistant.misbehave(fault)
    async with following(IMPATIENT, connected=False) as task:
        await eventually(lambda: says in (error() or ""), what=says)
        home_assistant.misbehave(None)
        await become(light__hall="on")
        await eventually(lambda: error() is None)
        assert not task.done()


async def test_a_connection_that_fell_silent_is_noticed_and_replaced(home_assistant, settings):
    with TcpProxy(home_assistant.port) as proxy:
        settings.HOME_ASSISTANT_URL = f"http://127.0.0.1:{proxy.port}"
        async with following(IMPATIENT):
            proxy.freeze()
            await eventually(lambda: "did not answer" in (error() or ""))
            home_assistant.set_entity("light.hall", "on")
            proxy.heal()
            await become(light__hall="on")


async def test_one_that_shuts_down_is_left_when_it_closes_and_found_when_it_is_back(home_assistant):
    home_assistant.linger = 0.2
    async with following():
        await asyncio.to_thread(home_assistant.stop)
        await eventually(lambda: not is_connected())
        await asyncio.to_thread(home_assistant.start)
        await eventually(is_connected)


async def test_a_revoked_token_is_said_without_showing_it_and_a_new_one_is_found(home_assistant, settings, caplog):
    caplog.set_level(logging.DEBUG)
    settings.HOME_ASSISTANT_TOKEN = "revoked-and-secret"
    async with following(connected=False):
        await eventually(lambda: "refused the token (auth_invalid)" in (error() or ""))
        home_assistant.token = "revoked-and-secret"
        await eventually(is_connected)
        home_assistant.token = "another"
        home_assistant.cut()
        said = await eventually(error)
        await eventually(lambda: "refused the token" in (error() or ""))
        settings.HOME_ASSISTANT_TOKEN = "another"
        await eventually(lambda: is_connected() and error() is None)

    assert "revoked-and-secret" not in caplog.text + said
    about_it = [r.action for r in caplog.records if getattr(r, "integration", "") == "following Home Assistant"]
    assert about_it == ["outage_began", "outage_ended"] * 2


def test_a_refused_token_is_tried_once_a_minute_at_most_twice():
    waits = [Patience().after(failures, TokenRefused("it", "401")) for failures in range(1, 100)]

    assert min(waits) >= 30
    assert max(waits) <= 60


def test_a_lost_connection_is_tried_again_soon_and_never_in_step_with_others():
    waits = [Patience().after(failures, HomeAssistantError("", permanent=True)) for failures in range(1, 100)]

    assert waits[0] <= 0.5
    assert max(waits) <= 5
    assert len(set(waits)) > 90
