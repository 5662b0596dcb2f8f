"""
One clean-up beside the push: `python -m benchmarks.cleanup.measure sqlite|postgres batches|delete ROWS`.

The server is Daphne with the alarm backend; a client listens to its pushes. "batches" is the backend's task, run in the
server; "delete" is one statement, from this process. Meanwhile somebody writes a row every now and then.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import django

from benchmarks.child import report
from benchmarks.databases import database
from tests.support import django_process
from tests.support.servers import DAPHNE, Server

AHEAD = 0.3  # seconds: it begins so long before a push is due
SETTLES = 4.0  # seconds after the end in which pushes count too, for the database goes on tidying up


def measure(kind: str, way: str, rows: str) -> dict[str, float]:
    """Delete so many *rows* and return how long it took, and what clients felt."""
    with tempfile.TemporaryDirectory(prefix="bench-cleanup-") as name, database(kind, Path(name)) as url:
        settings = {"DATABASE_URL": url, "DEBUG": "0"}
        os.environ.update(django_process.environment(url, **settings))
        django.setup()
        return _measured(Server(DAPHNE, folder=Path(name), environment=settings, dev=False), way, int(rows))


def _measured(server: Server, way: str, rows: int) -> dict[str, float]:
    from benchmarks.cleanup import home  # noqa: PLC0415 - its models need Django set up
    from benchmarks.cleanup.listener import EVERY, Listener, lateness  # noqa: PLC0415 - without websockets the child says so
    from benchmarks.cleanup.writer import Writer  # noqa: PLC0415 - as home

    cookie = home.prepare(rows)
    with server:
        server.wait_until_serving()
        with Listener(f"ws://127.0.0.1:{server.port}/ws/status/", cookie=cookie) as listener:
            listener.wait_for_pushes(time.time() + EVERY)
            time.sleep(EVERY - AHEAD)
            started = time.time()
            with Writer() as writer:
                total = home.WAYS[way]()
            until = time.time() + SETTLES
            listener.wait_for_pushes(until)
    if home.left() != home.KEPT + writer.written:
        raise RuntimeError(f"{home.left()} rows are left, {home.KEPT + writer.written} were to be kept")
    late = sorted(lateness(listener.pushes, started, until))
    pings, writes = sorted(listener.waits(started, until)), sorted(writer.waits)
    return {
        "total_s": total,
        "rows_per_s": rows / total,
        "push_p50_ms": late[len(late) // 2] * 1000,
        "push_worst_ms": late[-1] * 1000,
        "ping_p99_ms": pings[len(pings) * 99 // 100] * 1000,
        "ping_worst_ms": pings[-1] * 1000,
        "write_p50_ms": writes[len(writes) // 2] * 1000,
        "write_worst_ms": writes[-1] * 1000,
    }


if __name__ == "__main__":
    report(lambda: measure(*sys.argv[1:]))
