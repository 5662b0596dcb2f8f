"""A client that asks for a page over connections that are kept alive, and notes how long the answers took."""

import asyncio
import random
import time
from dataclasses import dataclass

import aiohttp

CONNECTIONS = 16
PATIENCE = 30.0  # seconds for one answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """How long each answer took, in seconds, and how many came a second."""

    seconds: list[float]
    per_second: float


async def as_many_as_possible(client: aiohttp.ClientSession, *, during: float) -> Answers:
    """Ask for the page over every connection, again as soon as the answer is there, for so many seconds."""
    seconds: list[float] = []
    began = time.perf_counter()
    until = began + during

    async def ask_again_and_again() -> None:
        while (asked := time.perf_counter()) < until:
            await _ask(client)
            seconds.append(time.perf_counter() - asked)

    await asyncio.gather(*(ask_again_and_again() for _ in range(CONNECTIONS)))
    return Answers(seconds=seconds, per_second=len(seconds) / (time.perf_counter() - began))


async def so_many(client: aiohttp.ClientSession, *, per_second: float, during: float) -> Answers:
    """
    Ask for the page at moments that are spread as people are, *per_second* in the mean, for so many seconds.

    An answer counts from the moment at which it was to be asked for: a server that is slow keeps nobody from asking.
    """
    dice = random.Random(7)  # the same moments in every run
    seconds: list[float] = []
    began = time.perf_counter()
    moment = began

    async def ask_at(moment: float) -> None:
        await _ask(client)
        seconds.append(time.perf_counter() - moment)

    async with asyncio.TaskGroup() as asking:
        while (moment := moment + dice.expovariate(per_second)) < began + during:
            await asyncio.sleep(moment - time.perf_counter())
            asking.create_task(ask_at(moment))
    return Answers(seconds=seconds, per_second=len(seconds) / during)


def client_of(url: str) -> aiohttp.ClientSession:
    """Return a client that opens CONNECTIONS connections to *url* and keeps them."""
    connections = aiohttp.TCPConnector(limit=CONNECTIONS)
    return aiohttp.ClientSession(url, connector=connections, timeout=aiohttp.ClientTimeout(total=PATIENCE))


async def _ask(client: aiohttp.ClientSession) -> None:
    async with client.get("/") as answer:
        answer.raise_for_status()
        await answer.read()
