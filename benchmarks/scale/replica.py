"""
One replica as a process: ``python -m benchmarks.scale.replica DATABASE_URL SHAPE SCHEDULES SECONDS BEGINS``.

Each of its schedules is due once, within so many seconds from when the load begins, and is claimed. It serves until
SIGTERM. What it ran is in history.
"""

import asyncio
import signal
import sys

import environ

from asyncsched import Every, register
from asyncsched.server.host import Host
from benchmarks.engine.systems.django_site import set_up
from benchmarks.scale.costs import HOUR
from benchmarks.scale.load import SHAPES


def serve(url: str, shape: str, schedules: int, seconds: float, begins: float) -> None:
    """Serve until told to stop. *begins* is in seconds since the epoch."""
    set_up("asyncsched", environ.Env.db_url_config(url))  # type: ignore[no-untyped-call]
    for number, moment in enumerate(SHAPES[shape](schedules, seconds)):
        register(task_name(number), Every(HOUR, offset=(begins + moment) % HOUR), timeout=30)(_job)
    asyncio.run(_serve())


def task_name(number: int) -> str:
    """Return what the task is called whose schedule has that *number*."""
    return f"job {number}"


async def _job() -> None:
    """Do nothing."""


async def _serve() -> None:
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    host = Host()
    await host.start()
    await told.wait()
    await host.stop()


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]))
