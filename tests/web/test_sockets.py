"""WebSockets of a running deployment, with real clients."""

import asyncio
import json

import aiohttp
import pytest

from asyncsched.registry import registry

PATIENCE = 10  # seconds


async def close_code(client, path):
    async with client.ws_connect(path) as socket:
        message = await socket.receive(PATIENCE)
        assert message.type is aiohttp.WSMsgType.CLOSE
        return socket.close_code


async def handshake_status(client, path, **headers):
    try:
        async with client.ws_connect(path, headers=headers):
            return 101
    except aiohttp.WSServerHandshakeError as error:
        return error.status


async def receive(socket):
    return json.loads(await socket.receive_str(timeout=PATIENCE))


@pytest.mark.parametrize("path", ["/ws/status/", "/ws/runs/"])
async def test_an_anonymous_client_sees_close_code_4401(site, path):
    async with site.client() as client:
        assert await close_code(client, path) == 4401


async def test_a_resident_who_asks_for_runs_sees_close_code_4403(site):
    async with site.client("resident") as client:
        assert await close_code(client, "/ws/runs/") == 4403


async def test_a_client_from_our_own_page_is_let_in(site):
    async with site.client("resident") as client:
        assert await handshake_status(client, "/ws/status/", Origin=site.url) == 101


async def test_a_client_that_is_no_browser_is_let_in(site):
    async with site.client("resident") as client:
        assert await handshake_status(client, "/ws/status/") == 101


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "http://localhost", "null"])
async def test_a_page_of_another_origin_is_refused_at_the_handshake(site, origin):
    async with site.client("resident") as client:
        assert await handshake_status(client, "/ws/status/", Origin=origin) == 403


async def test_a_host_that_is_not_ours_is_refused_even_if_the_origin_agrees(site):
    async with site.client("resident") as client:
        status = await handshake_status(client, "/ws/status/", Origin="http://evil.example", Host="evil.example")
        assert status == 403


async def test_an_address_that_does_not_exist_is_refused_without_an_error_in_the_log(site):
    async with site.client("resident") as client:
        assert await handshake_status(client, "/ws/nothing/") == 403
    assert "Traceback" not in site.server.log


async def test_a_client_gets_a_snapshot_at_once_and_then_every_push_in_order(site):
    async with site.client("resident") as client, client.ws_connect("/ws/status/") as socket:
        first = json.loads(await socket.receive_str(timeout=1.0))
        following = [await receive(socket) for _ in range(3)]

    assert [message["sequence"] - first["sequence"] for message in following] == [1, 2, 3]
    assert {message["source"] for message in following} == {first["source"]}


async def test_a_status_message_tells_of_the_house_and_the_scheduler(site):
    async with site.client("resident") as client, client.ws_connect("/ws/status/") as socket:
        await receive(socket)
        message = await receive(socket)

    assert message["type"] == "system_status"
    assert message["timestamp"].endswith("+00:00")
    payload = message["payload"]
    assert payload["home_assistant"] == {
        "configured": False,
        "reachable": False,
        "error": None,
        "latency_ms": None,
        "version": None,
        "checked_at": None,
    }
    assert payload["mqtt"] == {"configured": False, "connected": False, "error": None}
    assert payload["frigate"] == {
        "configured": False,
        "available": False,
        "version": None,
        "last_event_at": None,
        "detectors": {},
        "cameras": {},
        "error": None,
    }
    assert payload["alarm"] | {"since": None} == {
        "state": "disarmed",
        "mode": None,
        "since": None,
        "until": None,
        "version": 0,
    }
    assert payload["scheduler"]["leader"] is True
    assert payload["scheduler"]["tasks"] == sum(not task.is_own for task in registry)
    assert payload["scheduler"]["running"] >= 1
    assert payload["scheduler"]["failing"] == 0
    assert 0 <= payload["scheduler"]["lateness_ms_p99"] < 5_000


async def test_staff_see_a_run_start_and_finish(site):
    async with site.client("admin") as client, client.ws_connect("/ws/runs/") as socket:
        runs = [await receive(socket) for _ in range(8)]

    started = next(run for run in runs if run["status"] == "running")
    finished = next(run for run in runs if run["id"] == started["id"] and run["status"] != "running")
    assert started["type"] == finished["type"] == "run"
    assert finished["task"] == started["task"]
    assert finished["duration_s"] >= 0


async def test_what_a_client_says_is_ignored(site):
    async with site.client("resident") as client, client.ws_connect("/ws/status/") as socket:
        first = await receive(socket)
        await socket.send_str("not json {")
        await socket.send_bytes(b"\xff" * 1000)
        assert (await receive(socket))["sequence"] == first["sequence"] + 1


async def test_clients_that_come_and_go_leave_nothing_behind(site):
    async with site.client("resident") as client:
        for _ in range(5):
            sockets = await asyncio.gather(*(client.ws_connect("/ws/status/") for _ in range(10)))
            for socket in sockets:
                await receive(socket)
            await asyncio.gather(*(socket.close() for socket in sockets))
        async with client.ws_connect("/ws/status/") as socket:
            first = await receive(socket)
            assert (await receive(socket))["sequence"] == first["sequence"] + 1
    assert site.server.leaks == []
