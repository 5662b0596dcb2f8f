"""Z-Wave JS, the server that speaks to Z-Wave devices: whether it is up, and how many nodes it has.

Its devices are entities of Home Assistant and come from there. The protocol is the library's, which
neither reconnects nor sets limits; both is done here.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from typing import Any, cast

import aiohttp
from django.conf import settings
from zwave_js_server import exceptions
from zwave_js_server.client import Client

from home import status
from home.backoff import delay
from home.config import without_secrets

START_TIMEOUT = 30.0  # seconds to connect and to be told the whole state
HEARTBEAT = 20.0  # seconds; a server that went silent is noticed within one and a half of them
CLOSE_TIMEOUT = 2.0  # seconds for a server to say goodbye in
MAX_MESSAGE = 32 * 2**20  # bytes; the state of 200 nodes takes about 10 MiB
FIRST_DELAY = 0.5  # seconds
LONGEST_DELAY = 30.0  # seconds
MAX_VERSION = 50  # characters

# The library believes the server and takes its messages apart as they should be; these come of those that are not.
NOT_UNDERSTOOD = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)

# What it would log of its connections reaches us as errors, and is logged once, by the board.
logging.getLogger("zwave_js_server").setLevel(logging.WARNING)


class _Bounded:
    """What the library uses of a session: connecting, here with limits."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    def ws_connect(self, url: str, **options: Any) -> Any:
        limits = {
            "heartbeat": HEARTBEAT,
            "max_msg_size": MAX_MESSAGE,
            "timeout": aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT),
        }
        return self._session.ws_connect(url, **options | limits)


class _Ready(asyncio.Event):
    """The event the library sets when it knows the state; here that has a consequence at once."""

    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__()
        self._then = then

    def set(self) -> None:
        super().set()
        self._then()


async def follow() -> None:
    """Keep connected to the server at ZWAVE_JS_URL, until cancelled. The board says how it is."""
    url = settings.ZWAVE_JS_URL
    failures = 0
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                reason = await _listen(url, session)
            finally:
                # However it ended, also by cancellation: connected it is no longer.
                was_connected, error = status.board.zwave_js.connected, status.board.zwave_js.error
                status.report_zwave_js(status.ZwaveJsStatus(error=error))
            failures = 1 if was_connected else failures + 1
            status.report_zwave_js(status.ZwaveJsStatus(error=f"Z-Wave JS at {without_secrets(url)}: {reason}"))
            await asyncio.sleep(delay(failures, first=FIRST_DELAY, most=LONGEST_DELAY))


async def _listen(url: str, session: aiohttp.ClientSession) -> str:
    """Connect and stay so; return why it ended, in words without secrets."""
    client = Client(url, cast("aiohttp.ClientSession", _Bounded(session)))
    try:
        async with asyncio.timeout(START_TIMEOUT) as limit:
            await client.connect()
            await client.listen(_Ready(lambda: _connected(client, limit)))
    except (exceptions.BaseZwaveJSServerError, aiohttp.ClientError, TimeoutError, OSError) as error:
        return _in_words(error)
    except NOT_UNDERSTOOD as error:
        # The kind only: the text may repeat what the server said.
        return f"what it says is not understood ({type(error).__name__})"
    finally:
        if client.driver is None:  # else the library has closed it, and would now wait for that for ever
            await client.disconnect()
    return "the connection was closed"


def _connected(client: Client, limit: asyncio.Timeout) -> None:
    """Lift the *limit*, put up what *client* knows, and again whenever a node is added or removed."""
    limit.reschedule(None)
    _report(client)
    if client.driver:
        for event in ("node added", "node removed"):
            client.driver.controller.on(event, lambda _: _report(client))


def _report(client: Client) -> None:
    version = str(client.version.server_version) if client.version else ""
    nodes = len(client.driver.controller.nodes) if client.driver else None
    shown = version[:MAX_VERSION] if version.isprintable() else None
    status.report_zwave_js(status.ZwaveJsStatus(connected=True, version=shown, nodes=nodes))


def _in_words(error: Exception) -> str:
    """Return what went wrong. Never the text of *error*, which may repeat the address with its password."""
    cause = error.error if isinstance(error, exceptions.TransportError) and error.error else error
    match cause:
        case aiohttp.WSServerHandshakeError():
            return f"it answered {cause.status} and is no Z-Wave JS server"
        case aiohttp.ClientConnectorCertificateError():
            return "its certificate is not trusted"
        case aiohttp.ClientConnectorError():
            number = cause.os_error.errno or 0  # negative for what the resolver says
            return f"it cannot be reached: {os.strerror(number) if number > 0 else cause.os_error.strerror}"
    words = {
        exceptions.InvalidServerVersion: "its version and ours of zwave-js-server-python do not go together",
        exceptions.ConnectionFailed: "the connection was lost",
        TimeoutError: f"no answer within {START_TIMEOUT:g} s",
    }
    return words.get(type(cause), type(cause).__name__)
