"""The simulated home as a process of its own: broker, Home Assistant, Frigate, a phone, and Alex, who lives there.

``python -m demo.house`` is started by ``python -m demo`` with the addresses in its environment. Its
standard input is a socket to whoever needs the home: it says ``ready`` there, and ends when the other
end is closed, however that process ended.
"""

import argparse
import asyncio
import logging
import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from random import Random
from typing import Any, Self

from aiohttp import web

from demo import frigate
from demo.addresses import Addresses
from demo.day import ENTITIES, LENGTH, Step, day
from demo.frigate import Frigate
from demo.home_assistant import HomeAssistant, StateObject
from demo.home_assistant_socket import Connection
from demo.mqtt import device, running_broker
from demo.phone import running_phone

READY = b"ready"
STATS_PERIOD = 60.0  # seconds, as Frigate's own
ZIGBEE = {"online": '{"state":"online"}', "offline": '{"state":"offline"}'}

Show = Callable[[str, str], None]


class House:
    """A home at *addresses* that shows who does what, in lines: ``show("home", "Alex leaves")``.

    *speed* 2 makes a day take half as long; the same *seed* gives the same days.
    ``async with`` opens and closes it; at the same addresses another may be opened afterwards.
    """

    def __init__(self, addresses: Addresses, *, show: Show, seed: int = 1, speed: float = 1.0) -> None:
        self._addresses = addresses
        self._show = show
        self._random = Random(seed)  # noqa: S311 - which animal crosses the drive is no secret
        self._speed = speed
        self._stack = AsyncExitStack()
        self.home_assistant = _HomeAssistant(addresses, show)
        for entity_id, (state, attributes) in ENTITIES.items():
            self.home_assistant.set_entity(entity_id, state, **attributes)

    async def __aenter__(self) -> Self:
        addresses = self._addresses
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(running_broker(addresses.mqtt_port))
            await stack.enter_async_context(running_phone(addresses.phone_port, lambda line: self._show("phone", line)))
            await stack.enter_async_context(self.home_assistant)
            camera = device(addresses.mqtt_port, frigate.AVAILABLE, online="online", offline="offline")
            self._frigate = Frigate(await stack.enter_async_context(camera), self._pause)
            await stack.enter_async_context(device(addresses.mqtt_port, "zigbee2mqtt/bridge/state", **ZIGBEE))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def live(self) -> None:
        """Let day follow day, from when somebody has connected to Home Assistant, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._report())
            await self.home_assistant.watched.wait()
            while True:
                await self._pass(day(self._random), group)

    async def _pass(self, steps: tuple[Step, ...], group: asyncio.TaskGroup) -> None:
        reached = 0.0
        for step in steps:
            await self._pause(step.at - reached)
            reached = step.at
            if step.says:
                self._show("home", step.says)
            for entity_id, state in step.states.items():
                self.home_assistant.set_state(entity_id, state)
            if step.walk:
                group.create_task(self._frigate.follow(step.walk))
        await self._pause(LENGTH - reached)

    async def _report(self) -> None:
        started = time.monotonic()
        while True:
            await self._frigate.report(time.monotonic() - started)
            await asyncio.sleep(STATS_PERIOD)

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)


class _HomeAssistant(HomeAssistant):
    """One that shows what it was asked to do, and knows when somebody watches."""

    def __init__(self, addresses: Addresses, show: Show) -> None:
        super().__init__(token=addresses.token, port=addresses.home_assistant_port)
        self._show = show
        self.watched = asyncio.Event()

    def connect(self, socket: web.WebSocketResponse, transport: asyncio.Transport) -> Connection:
        self.watched.set()
        return super().connect(socket, transport)

    def call_service(self, domain: str, service: str, data: Any) -> list[StateObject]:
        changed = super().call_service(domain, service, data)
        names = ", ".join(state["attributes"].get("friendly_name", state["entity_id"]) for state in changed)
        self._show("home", f"Home Assistant is told {domain}.{service}: {names or 'nothing changes'}")
        return changed


def say(who: str, what: str) -> None:
    """Print one line, at once."""
    sys.stdout.write(f"{who:>5}: {what}\n")
    sys.stdout.flush()


async def run(lifeline: socket.socket, house: House, page: str) -> None:
    """Keep *house* open until the other end of *lifeline* closes; tell of *page* once it is watched."""
    lifeline.settimeout(0)  # for the event loop
    loop = asyncio.get_running_loop()
    async with house, asyncio.TaskGroup() as group:
        tasks = [group.create_task(house.live()), group.create_task(_announce(house, page))]
        with suppress(ConnectionError):  # it closes without a word if that process dies early
            await loop.sock_sendall(lifeline, READY)
            await loop.sock_recv(lifeline, 1)
        for task in tasks:
            task.cancel()


async def _announce(house: House, page: str) -> None:
    await house.home_assistant.watched.wait()
    say("ready", f"open {page} and sign in as admin; Ctrl-C ends it")


def main() -> None:
    """Open the house that the environment and the arguments describe."""
    parser = argparse.ArgumentParser(prog="python -m demo.house")
    parser.add_argument("--page", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=1.0)
    arguments = parser.parse_args()
    for name in ("aiohttp.server", "amqtt", "mqtt", "transitions"):  # they tell of every client that is lost
        logging.getLogger(name).setLevel(logging.CRITICAL)
    house = House(Addresses.from_environment(os.environ), show=say, seed=arguments.seed, speed=arguments.speed)
    with socket.socket(fileno=0) as lifeline:
        asyncio.run(run(lifeline, house, arguments.page))


if __name__ == "__main__":
    main()
