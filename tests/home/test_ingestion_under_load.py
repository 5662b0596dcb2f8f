"""Many messages and huge ones into a whole deployment: nothing is lost, memory is kept, the status goes on.

FRIGATE_BURST_SECONDS sets how long the burst takes (3 by default). What was measured goes to the log.
"""

import asyncio
import json
import logging
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.home.frigate_messages import event
from tests.support.deadline import eventually
from tests.support.mosquitto import running_mosquitto
from tests.support.site import Site

pytestmark = pytest.mark.e2e

SECONDS = float(os.environ.get("FRIGATE_BURST_SECONDS", "3"))
PER_SECOND = 2_000
PERIOD = 2.0  # seconds between two pushes
HUGE = 10_000_000  # bytes
MEMORY = 100 * 2**20  # bytes more than before, which ten huge messages at once would not keep to

logger = logging.getLogger("load")


@pytest.fixture(scope="module")
def deployment(people, tmp_path_factory):
    """A broker, and a server that follows it."""
    folder = tmp_path_factory.mktemp("deployment")
    with running_mosquitto() as broker, Site(folder, people, MQTT_URL=broker.url, dev=False) as site:
        yield broker, site


class Watcher:
    """A client that notes when pushes come, and what the last one said."""

    def __init__(self):
        self.times = []
        self.payload = {}

    async def watch(self, client):
        async with client.ws_connect("/ws/status/") as connection:
            async for message in connection:
                self.times.append(time.monotonic())
                self.payload = json.loads(message.data)["payload"]

    @property
    def longest_wait(self):
        return max(after - before for before, after in zip(self.times, self.times[1:], strict=False))


def stored(site, prefix):
    with closing(sqlite3.connect(site.database_url.removeprefix("sqlite:///"), timeout=30)) as connection:
        query = "SELECT count(*) FROM home_frigatedetection WHERE event_id LIKE ?"
        return connection.execute(query, [f"{prefix}%"]).fetchone()[0]


async def look(condition, *arguments):
    return await asyncio.to_thread(condition, *arguments)


def memory(site):
    """Return the bytes the server has in memory now, and the most it ever had."""
    lines = Path(f"/proc/{site.server.process.pid}/status").read_text().splitlines()
    sizes = {
        name: int(size.split()[0]) * 1024 for name, _, size in (line.partition(":") for line in lines) if "kB" in size
    }
    return sizes["VmRSS"], sizes["VmHWM"]


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 110)
async def test_a_burst_is_stored_without_loss_and_the_status_goes_on(deployment):
    broker, site = deployment
    number = int(PER_SECOND * SECONDS)
    payloads = [event("new", id=f"burst-{index}") for index in range(number)]
    watcher = Watcher()
    async with site.client("resident") as client:
        watching = asyncio.create_task(watcher.watch(client))
        await eventually(lambda: watcher.payload.get("mqtt", {}).get("connected"), within=30)
        started = time.monotonic()
        await look(lambda: broker.publish_steadily("frigate/events", payloads, per_second=PER_SECOND))
        published = time.monotonic() - started
        await eventually(lambda: look(lambda: stored(site, "burst-") == number), within=60)
        took = time.monotonic() - started
        await asyncio.sleep(PERIOD)  # the push that is due by now
        watching.cancel()

    logger.warning(
        "%d events in %.1f s, all stored after %.1f s, longest wait for a push %.2f s",
        number,
        published,
        took,
        watcher.longest_wait,
    )
    assert watcher.longest_wait < 2 * PERIOD


async def test_huge_messages_are_dropped_and_memory_is_kept(deployment):
    broker, site = deployment
    junk = [b"x" * HUGE, b"[" * HUGE, b'{"type": "new", "after": ' + b"9" * HUGE]
    before, _ = memory(site)
    for topic in ("frigate/events", "frigate/reviews", "frigate/stats", "frigate/available"):
        await look(lambda topic=topic: broker.publish(topic, *junk * 2))
    await look(lambda: broker.publish("frigate/events", event("new", id="after the junk")))
    await eventually(lambda: look(stored, site, "after the junk"), within=60)
    after, most = memory(site)

    logger.warning("memory before %d MB, at most %d MB, after %d MB", before >> 20, most >> 20, after >> 20)
    assert most - before < MEMORY
