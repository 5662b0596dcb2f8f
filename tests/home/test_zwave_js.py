"""Z-Wave JS over its own protocol: the board follows a server that comes, goes and talks nonsense."""

import asyncio
import json
import logging
from contextlib import asynccontextmanager

import pytest

from alarm.status import payload
from home import status
from home.checks import check_zwave_js_settings
from home.tasks import zwave_js
from tests.support.deadline import eventually
from tests.support.ports import free_port
from tests.support.zwave_server import ZwaveServer


@asynccontextmanager
async def following(settings, url):
    """Run the service as the supervisor does; cancel it at the end."""
    settings.ZWAVE_JS_URL = url
    task = asyncio.create_task(zwave_js())
    try:
        yield
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.wait([task])


def shown() -> dict:
    return payload(None)["zwave_js"]


async def error_of(server, settings) -> str:
    async with server, following(settings, server.url):
        return await eventually(lambda: shown()["error"])


async def test_version_and_nodes_of_a_server_are_shown(settings):
    async with ZwaveServer(nodes=3) as server, following(settings, server.url):
        await eventually(lambda: shown()["connected"])

        assert shown() == {"configured": True, "connected": True, "version": "3.10.2", "nodes": 3, "error": None}
        assert server.commands == ["initialize", "driver.get_log_config", "start_listening"]


async def test_a_device_that_joins_or_leaves_is_counted(settings):
    async with ZwaveServer(nodes=1) as server, following(settings, server.url):
        await eventually(lambda: shown()["nodes"] == 1)
        await server.add_node()
        await eventually(lambda: shown()["nodes"] == 2)
        await server.remove_node()
        await eventually(lambda: shown()["nodes"] == 1)

        assert server.connections == 1


async def test_a_server_that_goes_and_comes_back_is_found_again(settings, caplog):
    caplog.set_level(logging.INFO, logger="home")
    server = ZwaveServer()
    async with server, following(settings, server.url):
        await eventually(lambda: shown()["connected"])
        await server.stop()
        await eventually(lambda: not shown()["connected"] and shown()["error"])
        assert (shown()["version"], shown()["nodes"]) == (None, None)
        await server.start()
        await eventually(lambda: shown()["connected"])

        assert shown()["error"] is None
    about = [record.action for record in caplog.records if getattr(record, "integration", "") == "Z-Wave JS"]
    assert about == ["outage_began", "outage_ended"]


async def test_a_server_that_is_not_there_is_said_without_the_password(settings, caplog):
    port = free_port()
    async with following(settings, f"ws://user:s3cret@127.0.0.1:{port}"):
        error = await eventually(lambda: shown()["error"])

    assert error == f"Z-Wave JS at ws://127.0.0.1:{port}: it cannot be reached: Connection refused"
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize("schemas", [(0, 3), (900, 999)])
async def test_a_server_too_old_or_too_new_is_said(settings, schemas):
    assert "do not go together" in await error_of(ZwaveServer(schemas=schemas), settings)


async def test_a_server_that_refuses_a_command_is_said(settings):
    refusal = {"type": "result", "success": False, "messageId": "x", "errorCode": "s3cret", "message": "s3cret"}

    error = await error_of(ZwaveServer(answers={"start_listening": json.dumps(refusal)}), settings)

    assert error.endswith(": FailedCommand")


COMMANDS = ("version", "initialize", "driver.get_log_config", "start_listening")
NONSENSE = {
    "text": "hello",
    "null": "null",
    "list": "[]",
    "empty": "{}",
    "deep": "[" * 100_000,
    "number": '{"success": ' + "9" * 5000 + "}",
    "strange": '{"success": true, "result": {"state": {"nodes": [7], "controller": {}}, "config": 3}}',
    "large": json.dumps({"success": True, "result": "x" * 10_000_000}),
    "too large": "x" * (33 * 2**20),
}


@pytest.mark.parametrize(
    ("what", "text"),
    [
        *((what, text) for what in COMMANDS for text in ("null", "empty", "deep", "too large")),
        *((what, "strange") for what in ("version", "driver.get_log_config", "start_listening")),
        *((what, "large") for what in ("version", "driver.get_log_config", "start_listening")),
    ],
)
async def test_nonsense_instead_of_an_answer_is_an_outage_and_no_crash(settings, what, text):
    error = await error_of(ZwaveServer(answers={what: NONSENSE[text]}), settings)

    assert error.startswith("Z-Wave JS at ws://127.0.0.1:")


@pytest.mark.parametrize("text", [*NONSENSE, "event"])
async def test_nonsense_said_later_is_an_outage_and_no_crash(settings, text):
    said = NONSENSE | {"event": '{"type": "event", "event": {"source": "controller", "event": "node removed"}}'}
    async with ZwaveServer() as server, following(settings, server.url):
        await eventually(lambda: shown()["connected"])
        await server.say(said[text])
        await eventually(lambda: server.connections == 2)
        await eventually(lambda: shown()["connected"])


async def test_what_is_no_websocket_is_said(settings):
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with following(settings, f"ws://user:s3cret@127.0.0.1:{port}"):
            error = await eventually(lambda: shown()["error"])

    assert error == f"Z-Wave JS at ws://127.0.0.1:{port}: it answered 403 and is no Z-Wave JS server"


def test_what_is_not_configured_is_not_in_the_payload():
    assert not {"zwave_js", "zigbee2mqtt"} & set(payload(None))


async def test_a_service_that_ends_leaves_no_connection_on_the_board(settings):
    async with ZwaveServer() as server:
        async with following(settings, server.url):
            await eventually(lambda: shown()["connected"])

        assert status.board.zwave_js.connected is False


@pytest.mark.parametrize("url", ["http://zwave:3000", "zwave:3000", "ws://", "ws://h:99999"])
def test_an_address_that_is_none_is_said_by_the_system_check(settings, url):
    settings.ZWAVE_JS_URL = url

    assert [found.id for found in check_zwave_js_settings()] == ["home.E005"]
