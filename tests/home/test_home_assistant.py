"""Home Assistant over a real socket: the client, the check and the sync."""

import logging

import pytest
from asgiref.sync import async_to_sync

from home import status
from home.home_assistant import client
from home.home_assistant.client import call_service
from home.home_assistant.errors import HomeAssistantError
from home.models import Entity
from home.tasks import check_home_assistant, sync_entity_states

in_database = pytest.mark.django_db(transaction=True)


async def states() -> dict[str, str]:
    return {row.entity_id: row.state async for row in Entity.objects.filter(removed_at=None)}


def board() -> dict:
    return status.snapshot()["home_assistant"]


async def test_check_puts_a_home_assistant_that_answers_on_the_board(home_assistant):
    await check_home_assistant()

    assert board()["reachable"] is True
    assert board()["error"] is None
    assert board()["version"] == "2025.4.0"
    assert 0 < board()["latency_ms"] < 5000
    assert board()["checked_at"].endswith("+00:00")


async def test_check_notices_that_home_assistant_went_away_and_came_back(home_assistant):
    await check_home_assistant()
    home_assistant.stop()
    await check_home_assistant()
    gone = board()
    home_assistant.start()
    await check_home_assistant()

    assert (gone["reachable"], gone["latency_ms"]) == (False, None)
    assert "cannot be reached" in gone["error"]
    assert board()["reachable"] is True


async def test_an_outage_is_logged_once_when_it_begins_and_once_when_it_ends(home_assistant, caplog):
    caplog.set_level(logging.INFO, logger="home")
    home_assistant.stop()
    for _ in range(3):
        await check_home_assistant()
    home_assistant.start()
    for _ in range(3):
        await check_home_assistant()

    actions = [record.action for record in caplog.records if record.name == "home.status"]
    assert actions == ["outage_began", "outage_ended"]


async def test_a_refused_token_is_permanent_and_not_shown(home_assistant, settings, caplog):
    settings.HOME_ASSISTANT_TOKEN = "wrong-and-secret"
    await check_home_assistant()
    with pytest.raises(HomeAssistantError) as error:
        await call_service("light", "turn_on")

    assert error.value.permanent is True
    assert "refused the token" in board()["error"]
    assert "wrong-and-secret" not in board()["error"] + str(error.value) + caplog.text


@pytest.mark.parametrize(
    ("fault", "permanent", "says"),
    [
        ("html", True, "a web page, not JSON"),
        ("broken_json", False, "not a JSON array"),
        ("error", False, "answered 500"),
        ("huge", False, "more than"),
        ("redirect", True, "answered 302"),
    ],
)
async def test_a_wrong_answer_is_a_clear_error(home_assistant, fault, permanent, says):
    home_assistant.misbehave(fault)
    with pytest.raises(HomeAssistantError) as error:
        await call_service("light", "turn_on")

    assert says in str(error.value)
    assert error.value.permanent is permanent


async def test_an_answer_that_would_hold_up_the_loop_is_not_decoded(home_assistant):
    home_assistant.misbehave("huge")
    await check_home_assistant()

    assert "more than 1048576 bytes" in board()["error"]


async def test_an_answer_that_does_not_come_is_given_up(home_assistant, monkeypatch):
    home_assistant.misbehave("silent")
    with pytest.raises(HomeAssistantError, match=r"did not answer within 0.2 s") as error:
        async with client.Client.from_settings() as session:
            await session._request("GET", "/api/", limit=0.2)

    assert error.value.permanent is False


async def test_errors_show_neither_password_nor_path_of_the_address(settings):
    settings.HOME_ASSISTANT_URL = "http://user:hunter2@127.0.0.1:9/hidden"
    settings.HOME_ASSISTANT_TOKEN = "t"
    await check_home_assistant()

    assert board()["error"]
    assert "hunter2" not in board()["error"]
    assert "hidden" not in board()["error"]


@pytest.mark.parametrize("token", ["two\nlines", "nön-ascii\udc80"])
async def test_a_token_that_cannot_be_sent_is_a_permanent_error(home_assistant, settings, token):
    settings.HOME_ASSISTANT_TOKEN = token
    with pytest.raises(HomeAssistantError) as error:
        await call_service("light", "turn_on")

    assert error.value.permanent is True
    assert token not in str(error.value)


async def test_a_service_is_called_with_its_data(home_assistant):
    home_assistant.set_entity("light.hall", "off")
    changed = await call_service("light", "turn_on", {"entity_id": "light.hall"})

    assert home_assistant.calls == [("light", "turn_on", {"entity_id": "light.hall"})]
    assert changed[0]["entity_id"] == "light.hall"


def test_a_service_can_be_called_from_a_thread_without_a_loop(home_assistant):
    async_to_sync(call_service)("switch", "turn_on", {})

    assert home_assistant.calls == [("switch", "turn_on", {})]


async def test_a_service_that_does_not_exist_is_a_permanent_error(home_assistant):
    with pytest.raises(HomeAssistantError, match="answered 400") as error:
        await call_service("light", "explode")

    assert error.value.permanent is True


async def test_the_name_of_a_service_cannot_reach_another_address(home_assistant):
    with pytest.raises(HomeAssistantError, match="not the name of a service"):
        await call_service("light/../..", "turn_on")

    assert home_assistant.requests == []


async def test_without_configuration_nothing_is_called_and_the_board_says_so():
    with pytest.raises(HomeAssistantError, match="not configured"):
        await call_service("light", "turn_on")

    assert (board()["configured"], board()["reachable"], board()["error"]) == (False, False, None)


@in_database
async def test_sync_stores_new_and_changed_states(home_assistant):
    home_assistant.set_entity("light.hall", "off", friendly_name="Hall", brightness=12)
    home_assistant.set_entity("sun.sun", "above_horizon")
    await sync_entity_states()
    home_assistant.set_entity("light.hall", "on", friendly_name="Hall light")
    summary = await sync_entity_states()

    assert await states() == {"light.hall": "on", "sun.sun": "above_horizon"}
    hall = await Entity.objects.aget(entity_id="light.hall")
    assert (hall.domain, hall.name, hall.attributes) == ("light", "Hall light", {"friendly_name": "Hall light"})
    assert summary == "2 entities: 1 written, 0 removed"


@in_database
async def test_sync_marks_an_entity_that_vanished_and_brings_it_back_when_it_returns(home_assistant):
    home_assistant.set_entity("light.hall", "off")
    home_assistant.set_entity("sun.sun", "above_horizon")
    await sync_entity_states()
    home_assistant.remove_entity("light.hall")
    await sync_entity_states()
    without = await states()
    home_assistant.set_entity("light.hall", "on")
    await sync_entity_states()

    assert without == {"sun.sun": "above_horizon"}
    assert await states() == {"light.hall": "on", "sun.sun": "above_horizon"}


@in_database
@pytest.mark.parametrize("how", [{"state": "NOT_RUNNING"}, {"state": "STOPPING"}, {"recovery_mode": True}])
async def test_sync_removes_nothing_while_home_assistant_is_not_fully_running(home_assistant, how):
    for number in range(6):
        home_assistant.set_entity(f"light.l{number}", "off")
    await sync_entity_states()
    vars(home_assistant).update(how)
    with pytest.raises(HomeAssistantError, match="not fully running"):
        await sync_entity_states()

    assert len(await states()) == 6


@in_database
async def test_sync_keeps_entities_when_the_answer_is_broken(home_assistant):
    home_assistant.set_entity("light.hall", "off")
    await sync_entity_states()
    home_assistant.misbehave("broken_json")
    with pytest.raises(HomeAssistantError):
        await sync_entity_states()

    assert await states() == {"light.hall": "off"}


@in_database
async def test_sync_stores_odd_texts_and_numbers_in_a_fit_form(home_assistant):
    home_assistant.set_entity("sensor.odd", "x" * 300, friendly_name="a\x00b\ud800", big=1e308 * 10)
    home_assistant.set_entity("Not An Entity", "on")
    await sync_entity_states()

    odd = await Entity.objects.aget(entity_id="sensor.odd")
    assert odd.state == "x" * 255
    assert odd.name == "a\ufffdb\ufffd"
    assert await states() == {"sensor.odd": "x" * 255}
