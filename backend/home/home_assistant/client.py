"""The REST client. A connection is opened for each block of work and closed with it.

At one check each 30 s and one sync each 5 min a kept connection would save nothing, and a session
that outlives its event loop is a bug waiting: rules call services from threads with loops of their own.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp
from django.conf import settings

from home import wire
from home.config import allowed_domains, home_assistant_configured, without_secrets
from home.home_assistant.errors import HomeAssistantError, check_status, told_plainly

MAX_LIST = 32 * 2**20  # bytes; 5,000 entities take 3 to 5 MiB
MAX_OBJECT = 2**20  # bytes; decoded in one go, while the loop waits
CONNECT_TIMEOUT = 5.0  # seconds
ANSWER_TIMEOUT = 10.0  # seconds, for a whole request
STATES_TIMEOUT = 30.0  # seconds; a Raspberry Pi with thousands of entities needs some
_SLUG = re.compile(r"[a-z0-9_]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What Home Assistant says of itself. *is_complete*: it has all its entities."""

    version: str
    is_complete: bool


def is_complete(config: Mapping[str, Any]) -> bool:
    """Return whether it has all its entities: not while it starts or stops, nor while its owner is to repair it."""
    return config.get("state") == "RUNNING" and not config.get("recovery_mode")


class Client:
    """Speaks to one Home Assistant inside ``async with``, on the running event loop.

    Every method raises HomeAssistantError and nothing else.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._name = f"Home Assistant at {without_secrets(url)}"
        self._token = token.strip()
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    def from_settings(cls) -> Self:
        """Return a client for HOME_ASSISTANT_URL; raise HomeAssistantError if it is not configured."""
        if not home_assistant_configured():
            raise HomeAssistantError(
                "Home Assistant is not configured: set HOME_ASSISTANT_URL and HOME_ASSISTANT_TOKEN", permanent=True
            )
        return cls(settings.HOME_ASSISTANT_URL, settings.HOME_ASSISTANT_TOKEN)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers={"Authorization": f"Bearer {self._token}"})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ping(self) -> None:
        """Ask whether the API is up and takes our token."""
        self._decode(await self._request("GET", "/api/"))

    async def config(self) -> Config:
        """Return its version, and whether it has all its entities."""
        answer = self._decode(await self._request("GET", "/api/config"))
        if not isinstance(answer, dict):
            raise self._strange("/api/config is not an object")
        return Config(version=str(answer.get("version", "")), is_complete=is_complete(answer))

    async def states(self) -> list[Any]:
        """Return the state objects of all entities, as they came."""
        return await self._decode_list(await self._request("GET", "/api/states", limit=STATES_TIMEOUT, most=MAX_LIST))

    async def call_service(self, domain: str, service: str, data: Mapping[str, Any]) -> list[Any]:
        """Call ``domain.service`` with *data*; return the state objects it changed.

        A domain that HOME_ASSISTANT_ALLOWED_DOMAINS does not name is refused before anything is sent.
        """
        if not (_SLUG.fullmatch(domain) and _SLUG.fullmatch(service)):
            raise HomeAssistantError(f"{domain}.{service} is not the name of a service", permanent=True)
        if domain not in allowed_domains():
            raise HomeAssistantError(
                f"{domain}.{service} is not called: HOME_ASSISTANT_ALLOWED_DOMAINS does not name {domain}",
                permanent=True,
            )
        path = f"/api/services/{domain}/{service}"
        return await self._decode_list(await self._request("POST", path, data=data, most=MAX_LIST))

    async def _request(
        self,
        method: str,
        path: str,
        *,
        data: Mapping[str, Any] | None = None,
        limit: float = ANSWER_TIMEOUT,
        most: int = MAX_OBJECT,
    ) -> bytes:
        """Return the body of the answer to *method* *path*, at most so many bytes, waiting at most *limit* seconds."""
        if self._session is None:
            raise RuntimeError("use the client inside 'async with'")
        limits = aiohttp.ClientTimeout(total=limit, sock_connect=CONNECT_TIMEOUT)
        with told_plainly(self._name, limit):
            # A redirect is never followed: it could carry the token to another host.
            async with self._session.request(
                method, self._url + path, json=data, timeout=limits, allow_redirects=False
            ) as response:
                check_status(self._name, response.status, path)
                return await self._read(response, most)

    async def _read(self, response: aiohttp.ClientResponse, most: int) -> bytes:
        """Return the body; give up past *most* bytes rather than fill the memory."""
        if response.content_type == "text/html":
            raise HomeAssistantError(
                f"{self._name} answered with a web page, not JSON: is HOME_ASSISTANT_URL right?", permanent=True
            )
        body = bytearray()
        async for chunk in response.content.iter_chunked(2**16):
            body += chunk
            if len(body) > most:
                raise self._strange(f"more than {most} bytes")
        return bytes(body)

    def _decode(self, body: bytes) -> Any:
        try:
            return wire.decode(body)
        except wire.Malformed as error:
            raise self._strange(str(error)) from None

    async def _decode_list(self, body: bytes) -> list[Any]:
        try:
            return await asyncio.to_thread(wire.decode_list, body)
        except wire.Malformed as error:
            raise self._strange(str(error)) from None

    def _strange(self, what: str) -> HomeAssistantError:
        return HomeAssistantError(f"{self._name} gave an answer that makes no sense: {what}", permanent=False)


async def call_service(domain: str, service: str, data: Mapping[str, Any] | None = None) -> list[Any]:
    """Call ``domain.service`` of the configured Home Assistant; return the state objects it changed.

    From sync code in a thread: ``async_to_sync(call_service)(domain, service, data)``. It takes at
    most ANSWER_TIMEOUT seconds.

    Raises:
        HomeAssistantError: not configured, not allowed, not reachable or refused; see its ``permanent``.
    """
    async with Client.from_settings() as home_assistant:
        return await home_assistant.call_service(domain, service, data or {})
