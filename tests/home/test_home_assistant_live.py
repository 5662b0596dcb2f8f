"""Home Assistant over its WebSocket: what changes there is in the table at once, each step told once and in order."""

import asyncio

import pytest

from home.changes import entities_changed
from home.drops import Drops
from home.home_assistant.entities import Listing
from home.home_assistant.inbox import Event, Inbox
from home.home_assistant.writer import storing
from home.models import Entity
from home.tasks import home_assistant_live, sync_entity_states
from tests.home.following import become, error, following, is_connected, states, table_away
from tests.home.locked import locked_database
from tests.support.deadline import eventually

pytestmark = pytest.mark.django_db(transaction=True)


async def test_what_is_there_is_listed_and_what_changes_follows(home_assistant):
    home_assistant.set_entity("light.hall", "off", friendly_name="Hall")
    async with following():
        await become(light__hall="off")
        home_assistant.set_entity("light.hall", "on", friendly_name="Hall light", brightness=12)
        home_assistant.set_entity("lock.door", "locked")
        await become(light__hall="on", lock__door="locked")

    hall = await Entity.objects.aget(entity_id="light.hall")
    assert (hall.domain, hall.name) == ("light", "Hall light")
    assert hall.attributes == {"friendly_name": "Hall light", "brightness": 12}


async def test_the_service_is_what_follows(home_assistant):
    home_assistant.set_entity("light.hall", "off")
    task = asyncio.create_task(home_assistant_live())
    await become(light__hall="off")
    task.cancel()
    await asyncio.wait([task])

    assert not is_connected()


async def test_pulses_are_told_step_by_step_however_short_they_are(home_assistant, told):
    home_assistant.set_entity("binary_sensor.hall", "off")
    async with following():
        await become(binary_sensor__hall="off")
        for _ in range(20):
            home_assistant.set_entity("binary_sensor.hall", "on")
            home_assistant.set_entity("binary_sensor.hall", "off")
        home_assistant.set_entity("light.last", "on")
        await become(light__last="on")

    assert told.of("binary_sensor.hall") == [(None, "off"), *[("off", "on"), ("on", "off")] * 20]


async def test_unavailable_and_unknown_are_states_like_others(home_assistant):
    home_assistant.set_entity("lock.door", "locked")
    async with following():
        home_assistant.set_entity("lock.door", "unavailable")
        home_assistant.set_entity("sensor.new", "unknown")
        await become(lock__door="unavailable", sensor__new="unknown")


async def test_an_entity_that_is_removed_is_marked_and_one_that_is_renamed_lives_on_under_its_new_name(
    home_assistant, told
):
    home_assistant.set_entity("light.hall", "off")
    home_assistant.set_entity("light.old", "on")
    async with following():
        await become(light__hall="off", light__old="on")
        home_assistant.remove_entity("light.hall")
        home_assistant.rename_entity("light.old", "light.new")
        await become(light__hall=None, light__old=None, light__new="on")
        home_assistant.set_entity("light.hall", "on")
        await become(light__hall="on")

    assert told.of("light.hall") == [(None, "off"), ("off", None), (None, "on")]
    assert told.of("light.old") == [(None, "on"), ("on", None)]


async def test_what_happened_while_home_assistant_was_not_reached_is_made_up_for(home_assistant, told):
    for name in ("changed", "removed", "same"):
        home_assistant.set_entity(f"light.{name}", "off")
    async with following():
        await become(light__changed="off", light__removed="off", light__same="off")
        await asyncio.to_thread(home_assistant.stop)
        await eventually(lambda: not is_connected())
        home_assistant.set_entity("light.changed", "on")
        home_assistant.set_entity("light.changed", "off")
        home_assistant.set_entity("light.new", "on")
        home_assistant.remove_entity("light.removed")
        await asyncio.to_thread(home_assistant.start)
        await become(light__changed="off", light__removed=None, light__same="off", light__new="on")
        home_assistant.set_entity("light.same", "on")
        await become(light__same="on")

    assert told.of("light.changed") == [(None, "off"), ("off", "off")]
    assert told.of("light.removed") == [(None, "off"), ("off", None)]


@pytest.mark.parametrize("how", [{"state": "NOT_RUNNING"}, {"recovery_mode": True}])
async def test_while_it_is_not_fully_running_nothing_looks_removed(home_assistant, how):
    for number in range(6):
        home_assistant.set_entity(f"light.l{number}", "off")
    async with following():
        await become(light__l5="off")
        await asyncio.to_thread(home_assistant.stop)
        vars(home_assistant).update(how)
        await asyncio.to_thread(home_assistant.start)
        await eventually(lambda: error() == "Home Assistant is starting, or in recovery mode")
        home_assistant.set_entity("light.l0", "on")
        await become(light__l0="on")
        starting = await states()
        home_assistant.remove_entity("light.l1")
        vars(home_assistant).update(state="RUNNING", recovery_mode=False)
        await become(light__l1=None, light__l5="off")
        await eventually(lambda: is_connected() and error() is None)

    assert len(starting) == 6


async def test_what_was_received_while_the_database_was_away_is_stored_and_told_in_full(home_assistant, told):
    home_assistant.set_entity("light.hall", "off")
    async with following():
        await become(light__hall="off")
        async with table_away():
            for state in ("on", "off", "on"):
                home_assistant.set_entity("light.hall", state)
            await eventually(lambda: "states wait to be stored" in (error() or ""))
        await become(light__hall="on")
        await eventually(lambda: error() is None)

    assert told.of("light.hall")[1:] == [("off", "on"), ("on", "off"), ("off", "on")]


async def test_a_receiver_that_always_fails_keeps_nothing_from_being_stored(home_assistant):
    def fail(**_: object) -> None:
        raise LookupError("a mistake in a rule")

    home_assistant.set_entity("light.hall", "off")
    entities_changed.connect(fail)
    try:
        async with following() as task:
            await become(light__hall="off")
            home_assistant.set_entity("light.hall", "on")
            await become(light__hall="on")
            assert (task.done(), error()) == (False, None)
    finally:
        entities_changed.disconnect(fail)


async def test_more_than_can_wait_is_forgotten_and_listed_anew(home_assistant, told, caplog):
    home_assistant.set_entity("light.hall", "off")
    async with following():
        await become(light__hall="off")
        async with locked_database():
            for number in range(100):
                home_assistant.set_entity("sensor.long", str(number), text="x" * 100_000)
            home_assistant.set_entity("light.hall", "on")
            await eventually(lambda: "messages dropped" in caplog.text)
        await become(light__hall="on", sensor__long="99")

    assert told.of("light.hall") == [(None, "off"), ("off", "on")]
    assert len(told.of("sensor.long")) < 100
    assert len([record for record in caplog.records if "messages dropped" in record.getMessage()]) == 1


async def test_what_was_received_is_stored_when_the_server_drains():
    inbox = Inbox()
    for number in range(250):
        state = {"entity_id": f"light.l{number}", "state": "on"}
        inbox.put(Event({"data": {"new_state": state}}, 1))
    inbox.put(Listing(items=[state], held={}))
    await storing(inbox, Drops()).flush()

    assert (len(inbox), len(await states())) == (0, 250)


async def test_a_sync_beside_the_connection_tells_nothing_twice(home_assistant, told):
    async with following():
        home_assistant.set_entity("light.hall", "on")
        await become(light__hall="on")
        summary = await sync_entity_states()

    assert summary == "1 entities: 0 written, 0 removed"
    assert told.of("light.hall") == [(None, "on")]


async def test_a_sync_tells_what_it_finds(home_assistant, told):
    home_assistant.set_entity("light.hall", "off")
    await sync_entity_states()
    home_assistant.set_entity("light.hall", "on")
    await sync_entity_states()
    home_assistant.remove_entity("light.hall")
    await sync_entity_states()

    assert told.of("light.hall") == [(None, "off"), ("off", "on"), ("on", None)]
