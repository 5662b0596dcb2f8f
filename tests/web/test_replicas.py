"""Two servers that share a database and a Valkey: one pushes, a client of either gets it, whatever restarts."""

import json
from datetime import UTC, datetime

import pytest

from tests.support.deadline import eventually
from tests.support.site import Site
from tests.support.valkey import running_valkey


@pytest.fixture
def valkey():
    with running_valkey() as server:
        yield server


@pytest.fixture
def one(people, tmp_path, valkey):
    with Site(tmp_path / "one", people, REDIS_URL=valkey.url) as site:
        yield site


@pytest.fixture
def other(people, tmp_path, valkey, one):
    with Site(tmp_path / "other", people, REDIS_URL=valkey.url, DATABASE_URL=one.database_url) as site:
        yield site


async def source_heard(socket, *, within, since="", other_than=""):
    """Listen until a push comes that was written after *since* by another than *other_than*; return its source.

    What a server tells by itself, when a client connects and nothing was pushed yet, has the number 0.
    """
    heard = []

    async def listen():
        message = json.loads(await socket.receive_str(timeout=within))
        if message["timestamp"] > since and message["source"] != other_than and message["sequence"]:
            heard.append(message["source"])
        return bool(heard)

    await eventually(listen, within=within)
    return heard[0]


@pytest.mark.slow
async def test_clients_of_both_servers_get_the_pushes_of_the_leader_also_after_a_restart_of_valkey(valkey, one, other):
    async with one.client("resident") as client, other.client("resident") as far_client:
        here, there = await client.ws_connect("/ws/status/"), await far_client.ws_connect("/ws/status/")
        pushed = datetime.now(UTC).isoformat(timespec="milliseconds")
        leader = await source_heard(here, within=15, since=pushed)
        assert await source_heard(there, within=15, since=pushed) == leader

        valkey.stop()
        valkey.start()
        restarted = datetime.now(UTC).isoformat(timespec="milliseconds")

        assert await source_heard(here, within=45, since=restarted) == leader
        assert await source_heard(there, within=45, since=restarted) == leader


@pytest.mark.slow
async def test_when_the_leader_stops_the_other_pushes_on(one, other):
    async with other.client("resident") as client:
        socket = await client.ws_connect("/ws/status/")
        pushed = datetime.now(UTC).isoformat(timespec="milliseconds")
        leader = await source_heard(socket, within=15, since=pushed)
        one.server.stop()
        stopped = datetime.now(UTC).isoformat(timespec="milliseconds")
        assert await source_heard(socket, within=15, since=stopped, other_than=leader) != leader


@pytest.mark.slow
async def test_a_change_of_the_alarm_at_one_server_is_told_at_once_to_clients_of_the_other(one, other):
    async with one.client("resident") as client, other.client("resident") as far_client:
        socket = await client.ws_connect("/ws/status/")
        await socket.receive_str(timeout=15)
        token = "t" * 32
        headers = {"Cookie": f"{other.cookie('resident')}; csrftoken={token}", "X-CSRFToken": token}
        wanted = {"mode": "away", "exit_delay": 2}
        async with far_client.post("/api/alarm/arm", json=wanted, headers=headers) as answer:
            changed = await answer.json()

        told = []

        async def listen():
            message = json.loads(await socket.receive_str(timeout=15))
            told.append(message["payload"] if message["type"] == "alarm_state" else message["payload"]["alarm"])
            return told[-1]["state"] == "armed_away"

        await eventually(listen)
        assert changed in told
        async with far_client.get("/api/alarm/events") as answer:
            assert [event["kind"] for event in (await answer.json())["events"]] == ["armed", "arming"]
