"""Many clients on one server: each gets every push in order, and one that never reads harms nobody.

STATUS_LOAD_SECONDS sets how long it takes (10 by default). What was measured goes to the log.
"""

import asyncio
import base64
import json
import logging
import os
import socket
from datetime import UTC, datetime

import pytest

from tests.support.deadline import eventually
from tests.support.site import Site

CLIENTS = 200
SECONDS = float(os.environ.get("STATUS_LOAD_SECONDS", "10"))
PERIOD = 2.0
WORST_P99 = 1.0  # seconds; a page that lags by more feels dead

logger = logging.getLogger("load")


class Listener:
    """One client that notes what it gets and how late."""

    def __init__(self):
        self.sequences = []
        self.sources = set()
        self.delays = []

    async def listen(self, client, enough):
        async with client.ws_connect("/ws/status/") as connection:
            while not enough.is_set():
                message = json.loads(await connection.receive_str(timeout=10))
                sent = datetime.fromisoformat(message["timestamp"])
                self.sequences.append(message["sequence"])
                self.sources.add(message["source"])
                if len(self.sequences) > 1:  # the first is a snapshot, as old as the last push
                    self.delays.append((datetime.now(UTC) - sent).total_seconds())

    @property
    def is_in_order(self):
        return self.sequences == list(range(self.sequences[0], self.sequences[0] + len(self.sequences)))


def connect_and_never_read(site):
    """Open a WebSocket with the smallest buffer there is, and leave it at that."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    connection.connect(("127.0.0.1", site.server.port))
    lines = [
        "GET /ws/status/ HTTP/1.1",
        f"Host: 127.0.0.1:{site.server.port}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        f"Cookie: {site.cookie('resident')}",
    ]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    return connection


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 110)
async def test_200_clients_get_every_push_in_order_beside_one_that_never_reads(people, tmp_path):
    listeners, enough = [Listener() for _ in range(CLIENTS)], asyncio.Event()
    with Site(tmp_path / "site", people, dev=False) as site, connect_and_never_read(site):
        async with site.client("resident") as client:
            client.connector._limit = 0
            async with asyncio.TaskGroup() as group:
                for listener in listeners:
                    group.create_task(listener.listen(client, enough))
                await eventually(lambda: all(listener.sequences for listener in listeners), within=60)
                cpu = site.server.cpu_seconds()
                await asyncio.sleep(SECONDS)
                cpu = site.server.cpu_seconds() - cpu
                enough.set()

    pushes = SECONDS / PERIOD
    delays = [delay for listener in listeners for delay in listener.delays]
    p50, p99 = quantile(delays, 0.5), quantile(delays, 0.99)
    logger.warning(
        "%d clients, %g s: server CPU %.1f %% of a core, %.0f us per client and push; delay p50 %.1f ms, p99 %.1f ms",
        CLIENTS,
        SECONDS,
        100 * cpu / SECONDS,
        1e6 * cpu / pushes / CLIENTS,
        1000 * p50,
        1000 * p99,
    )
    assert all(listener.is_in_order for listener in listeners)
    assert all(len(listener.sequences) >= pushes for listener in listeners)
    assert len(set.union(*(listener.sources for listener in listeners))) == 1
    assert p99 < WORST_P99
