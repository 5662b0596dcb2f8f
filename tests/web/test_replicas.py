"""Two servers that share a Valkey: a client of either gets the pushes of both, also after the Valkey restarts."""

import json
from datetime import UTC, datetime

import pytest

from tests.support.deadline import eventually
from tests.support.site import Site
from tests.support.valkey import running_valkey


async def sources_heard(socket, count, *, within, since=""):
    """Listen until *count* sources have been heard with messages written after *since*; return them."""
    heard = set()

    async def listen():
        message = json.loads(await socket.receive_str(timeout=within))
        if message["timestamp"] > since:
            heard.add(message["source"])
        return len(heard) >= count

    await eventually(listen, within=within)
    return heard


@pytest.mark.slow
async def test_clients_of_both_servers_get_every_push_also_after_a_restart_of_valkey(people, tmp_path):
    with (
        running_valkey() as valkey,
        Site(tmp_path / "one", people, REDIS_URL=valkey.url) as one,
        Site(tmp_path / "other", people, REDIS_URL=valkey.url) as other,
    ):
        async with one.client("resident") as client, other.client("resident") as far_client:
            here, there = await client.ws_connect("/ws/status/"), await far_client.ws_connect("/ws/status/")
            before = await sources_heard(here, 2, within=15)
            assert await sources_heard(there, 2, within=15) == before

            valkey.stop()
            valkey.start()
            restarted = datetime.now(UTC).isoformat(timespec="milliseconds")

            assert await sources_heard(here, 2, within=45, since=restarted) == before
            assert await sources_heard(there, 2, within=45, since=restarted) == before
