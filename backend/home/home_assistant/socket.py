"""One connection to Home Assistant's WebSocket API, from the handshake until it is lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Never, TypeVar

import aiohttp

from home import wire
from home.config import without_secrets
from home.home_assistant.errors import HomeAssistantError, TokenRefused, told_plainly
from home.home_assistant.messages import decode

MAX_MESSAGE = 32 * 2**20  # bytes; the states of 5,000 entities take 3 to 5 MiB
CONNECT_TIMEOUT = 10.0  # seconds, with the authentication
ANSWER_TIMEOUT = 10.0  # seconds
CLOSE_TIMEOUT = 1.0  # seconds for the other side to say goodbye

Kind = TypeVar("Kind")
OnEvent = Callable[[dict[str, Any], int], None]


class Socket:
    """An authenticated connection. ``listen`` must be running for ``command`` to be answered.

    Both raise HomeAssistantError and nothing else.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, name: str) -> None:
        self._socket = socket
        self._name = name
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}

    async def command(self, command: str, kind: type[Kind], *, limit: float = ANSWER_TIMEOUT, **fields: Any) -> Kind:
        """Send *command* and return its result, which must be of *kind*, waiting at most *limit* seconds."""
        number = next(self._numbers)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            with told_plainly(self._name, limit):
                async with asyncio.timeout(limit):
                    await self._socket.send_json({"id": number, "type": command, **fields})
                    result = await answer
        finally:
            del self._answers[number]
        if not isinstance(result, kind):
            raise HomeAssistantError(f"{self._name} gave an answer that makes no sense to {command}", permanent=False)
        return result

    async def listen(self, on_event: OnEvent) -> Never:
        """Hand each event to *on_event*, with its number of characters, until the connection is lost."""
        while True:
            message, size = await receive(self._socket, self._name)
            if message.get("type") == "event" and isinstance(message.get("event"), dict):
                on_event(message["event"], size)
            else:
                self._take_answer(message)

    def _take_answer(self, message: dict[str, Any]) -> None:
        number = message.get("id")
        answer = self._answers.get(number) if isinstance(number, int) else None
        if answer is None or answer.done():
            return  # it came too late, or nobody asked
        if message.get("type") == "pong" or message.get("success") is True:
            answer.set_result(message.get("result"))
        else:
            answer.set_exception(HomeAssistantError(f"{self._name} refused a command", permanent=True))


@asynccontextmanager
async def connect(url: str, token: str) -> AsyncIterator[Socket]:
    """Connect to the Home Assistant at *url* and show the *token*; disconnect at the end.

    Raises:
        HomeAssistantError: not reachable, or it refused the token.
    """
    name = f"Home Assistant at {without_secrets(url)}"
    async with aiohttp.ClientSession(trace_configs=[_no_redirect(name)]) as session:
        with told_plainly(name, CONNECT_TIMEOUT):
            async with asyncio.timeout(CONNECT_TIMEOUT):
                socket = await session.ws_connect(
                    f"{url.rstrip('/')}/api/websocket",
                    max_msg_size=MAX_MESSAGE,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT),
                )
        async with socket:
            with told_plainly(name, CONNECT_TIMEOUT):
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    await _authenticate(socket, token, name)
            yield Socket(socket, name)


async def _authenticate(socket: aiohttp.ClientWebSocketResponse, token: str, name: str) -> None:
    await receive(socket, name)  # auth_required
    await socket.send_json({"type": "auth", "access_token": token.strip()})
    answer, _ = await receive(socket, name)
    if answer.get("type") == "auth_invalid":
        raise TokenRefused(name, "auth_invalid")
    if answer.get("type") != "auth_ok":
        raise HomeAssistantError(f"{name} did not ask for the token as it should", permanent=False)


async def receive(socket: aiohttp.ClientWebSocketResponse, name: str) -> tuple[dict[str, Any], int]:
    """Return the next message and its number of characters; raise HomeAssistantError if there will be none.

    After a message that makes no sense nothing is certain, so that ends the connection as well.
    """
    frame = await socket.receive()
    if frame.type is not aiohttp.WSMsgType.TEXT:
        raise HomeAssistantError(f"{name} {_what_happened(frame)}", permanent=False)
    try:
        message = await decode(frame.data)
    except wire.Malformed as error:
        raise HomeAssistantError(f"{name} sent a message that makes no sense: {error}", permanent=False) from None
    if not isinstance(message, dict):
        raise HomeAssistantError(f"{name} sent a message that is no object", permanent=False)
    return message, len(frame.data)


def _what_happened(frame: aiohttp.WSMessage) -> str:
    if frame.type is aiohttp.WSMsgType.BINARY:
        return "sent bytes where text belongs"
    is_too_big = (
        isinstance(frame.data, aiohttp.WebSocketError) and frame.data.code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    )
    return f"sent a message of more than {MAX_MESSAGE} bytes" if is_too_big else "closed the connection"


def _no_redirect(name: str) -> aiohttp.TraceConfig:
    """Return what forbids redirects: whoever they lead to would be shown the token."""

    async def refuse(*_: object) -> None:
        raise HomeAssistantError(f"{name} wants to send us elsewhere: is HOME_ASSISTANT_URL right?", permanent=True)

    config = aiohttp.TraceConfig()
    config.on_request_redirect.append(refuse)
    return config
