"""The simulated home over real sockets, met by the alarm backend's own clients."""

import asyncio
import socket
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest

from demo.addresses import Addresses
from demo.day import ENTITIES
from demo.frigate import Walk, event_message, review_message
from demo.house import READY, run
from home import status
from home.home_assistant.client import Client, call_service
from home.models import FrigateDetection
from home.tasks import check_home_assistant, mqtt
from notifications import outbox
from notifications.tasks import notifications_send_pending
from tests.support.deadline import eventually


@asynccontextmanager
async def running(coroutine):
    task = asyncio.create_task(coroutine)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def lived_in(house):
    """Open *house*, and let the day begin."""
    async with house, running(house.live()):
        house.home_assistant.watched.set()
        yield house


def test_the_addresses_survive_the_way_through_the_environment():
    addresses = Addresses.choose()
    assert Addresses.from_environment(addresses.environment) == addresses
    assert addresses.token not in repr(addresses)


def test_chosen_ports_are_different():
    chosen = Addresses.choose()
    assert len({chosen.mqtt_port, chosen.home_assistant_port, chosen.phone_port}) == 3


async def test_home_assistant_has_the_entities_and_does_what_it_is_asked(open_house, lines):
    async with open_house(), Client.from_settings() as client:
        assert {state["entity_id"] for state in await client.states()} == set(ENTITIES)
        await call_service("siren", "turn_on", {"entity_id": "siren.hall"})
        states = {state["entity_id"]: state["state"] for state in await client.states()}

    assert states["siren.hall"] == "on"
    assert lines == [("home", "Home Assistant is told siren.turn_on: Siren")]


async def test_nothing_happens_before_somebody_watches(open_house, lines):
    async with open_house(speed=1000) as house, running(house.live()) as living:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(living), 0.2)
        assert lines == []
        house.home_assistant.watched.set()
        await eventually(lambda: len(lines) > 3)


@pytest.mark.django_db(transaction=True)
async def test_what_walks_past_the_cameras_is_stored_and_frigate_is_available(open_house):
    async with lived_in(open_house()), running(mqtt()):
        await eventually(lambda: status.snapshot()["frigate"]["available"], what="frigate/available")
        garden = FrigateDetection.objects.filter(camera="garden", label="person", ended_at__isnull=False)
        stored = await eventually(garden.afirst, what="a person in the garden")
        seen = {row.camera async for row in FrigateDetection.objects.all()}

    assert stored.zones == ["lawn", "terrace"]
    assert stored.started_at < stored.ended_at
    assert 0.75 <= stored.top_score <= 0.95
    assert seen == {"front_door", "drive", "garden"}


@pytest.mark.django_db(transaction=True)
async def test_a_notification_rings_on_the_phone(open_house, lines):
    async with open_house():
        await asyncio.to_thread(outbox.queue, "Front door", "open since\n20 seconds")
        assert await asyncio.to_thread(notifications_send_pending) == 1

    assert lines == [("phone", "Front door: open since 20 seconds")]


@pytest.mark.parametrize("body", [b"\xff", b"not json", b"{"])
async def test_the_phone_refuses_what_is_no_message(open_house, addresses, lines, body):
    async with open_house(), aiohttp.ClientSession(f"http://127.0.0.1:{addresses.phone_port}") as client:
        async with client.post("/", data=body) as answer:
            assert answer.status == 400
        async with client.post("/", json={"title": "a\x1b[31m", "message": None}) as answer:
            assert answer.status == 200

    assert lines == [("phone", "a[31m")]


@pytest.mark.django_db(transaction=True)
async def test_the_backend_notices_that_the_home_has_gone_and_finds_it_again(open_house):
    async with running(mqtt()):
        async with open_house():
            await check_home_assistant()
            await eventually(lambda: status.snapshot()["frigate"]["available"])
            assert status.snapshot()["home_assistant"]["reachable"]
        await check_home_assistant()
        await eventually(lambda: not status.snapshot()["mqtt"]["connected"])
        assert not status.snapshot()["home_assistant"]["reachable"]
        async with open_house():
            await check_home_assistant()
            await eventually(lambda: status.snapshot()["frigate"]["available"])
            assert status.snapshot()["home_assistant"]["reachable"]


async def test_the_home_stays_open_until_who_needs_it_has_gone(open_house):
    ours, theirs = socket.socketpair()
    with theirs:
        home = asyncio.create_task(run(theirs, open_house(), "http://127.0.0.1:1"))
        with ours:
            ours.settimeout(0)
            assert await asyncio.get_running_loop().sock_recv(ours, 100) == READY
            assert not home.done()
        await asyncio.wait_for(home, 10)


async def test_the_home_ends_also_if_who_started_it_never_listened(open_house):
    ours, theirs = socket.socketpair()
    with theirs:
        ours.close()
        await asyncio.wait_for(run(theirs, open_house(), "http://127.0.0.1:1"), 10)


def test_a_walk_is_told_by_a_new_updates_and_an_end():
    walk = Walk(camera="garden", label="person", score=0.9, zones=("lawn", "terrace"))
    about = {"event_id": "1.0-1", "started": 1.0}
    new = event_message("new", walk, now=1.0, progress=0.0, **about)
    update = event_message("update", walk, now=3.0, progress=0.5, **about)
    end = event_message("end", walk, now=5.0, progress=1.0, **about)

    assert [message["after"]["entered_zones"] for message in (new, update, end)] == [
        [],
        ["lawn"],
        ["lawn", "terrace"],
    ]
    assert [message["after"]["end_time"] for message in (new, update, end)] == [None, None, 5.0]
    assert new["after"]["score"] < end["after"]["score"] == end["after"]["top_score"] == 0.9


def test_people_are_alerts_and_animals_are_detections():
    severities = {
        label: review_message("new", Walk(camera="drive", label=label, score=0.8), event_id="1", started=1.0, now=1.0)[
            "after"
        ]["severity"]
        for label in ("person", "cat")
    }
    assert severities == {"person": "alert", "cat": "detection"}
