"""Two servers that share a database and a Valkey: one pushes, a client of either gets it, whatever restarts."""

import json
from datetime import UTC, datetime

import pytest

from tests.support.deadline import eventually
from tests.support.site import Site
from tests.support.valkey import running_valkey


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
async def test_clients_of_both_servers_get_the_pushes_of_the_leader_also_after_a_restart_of_valkey(people, tmp_path):
    with (
        running_valkey() as valkey,
        Site(tmp_path / "one", people, REDIS_URL=valkey.url) as one,
        Site(tmp_path / "other", people, REDIS_URL=valkey.url, DATABASE_URL=one.database_url) as other,
    ):
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
async def test_when_the_leader_stops_the_other_pushes_on(people, tmp_path):
    with (
        running_valkey() as valkey,
        Site(tmp_path / "one", people, REDIS_URL=valkey.url) as one,
        Site(tmp_path / "other", people, REDIS_URL=valkey.url, DATABASE_URL=one.database_url) as other,
    ):
        async with other.client("resident") as client:
            socket = await client.ws_connect("/ws/status/")
            pushed = datetime.now(UTC).isoformat(timespec="milliseconds")
            leader = await source_heard(socket, within=15, since=pushed)
            one.server.stop()
            stopped = datetime.now(UTC).isoformat(timespec="milliseconds")
            assert await source_heard(socket, within=15, since=stopped, other_than=leader) != leader
