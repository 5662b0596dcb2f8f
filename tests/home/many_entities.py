"""Run as a process: a Home Assistant with thousands of entities. Prints its address; ends with its input."""

import asyncio
import sys

from demo.home_assistant import HomeAssistant
from tests.support.ports import free_port


async def serve(entities: int) -> None:
    async with HomeAssistant(token="a-long-lived-token", port=free_port()) as home:
        for number in range(entities):
            home.set_entity(f"sensor.s{number}", str(number), friendly_name=f"Sensor {number}", text="x" * 700)
        print(home.url, flush=True)  # noqa: T201 - the answer to the test
        await asyncio.to_thread(sys.stdin.read)


asyncio.run(serve(int(sys.argv[1])))
