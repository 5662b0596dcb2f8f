"""What runs in processes: some behave, some do not. Their progress is the ids of the processes in which they are."""

import asyncio
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from asyncsched import Every, current_run, register

logger = logging.getLogger("crunching")


def in_a_process(function: Callable[[], Any]) -> Callable[[], Any]:
    """Register *function* under its own name."""
    starts = function.__name__ == os.environ.get("CRUNCHING_ON_START")
    return register(function.__name__, Every(seconds=3600), executor="processes", run_on_start=starts)(function)


@in_a_process
def process_id() -> int:
    return os.getpid()


@in_a_process
def cleans_up() -> None:
    current_run().progress(os.getpid())
    try:
        time.sleep(60)
    finally:
        logger.warning("cleaned up")


@in_a_process
async def cleans_up_async() -> None:
    current_run().progress(os.getpid())
    try:
        await asyncio.sleep(60)
    finally:
        logger.warning("cleaned up")


@in_a_process
def does_not_let_go() -> None:
    current_run().progress(os.getpid(), subprocess.Popen(["sleep", "60"]).pid)
    while True:
        try:
            time.sleep(60)
        except SystemExit:
            logger.warning("goes on")


@in_a_process
def forks() -> None:
    fork = os.fork()
    if not fork:
        time.sleep(60)
        os._exit(0)
    current_run().progress(os.getpid(), fork)
    time.sleep(60)


@in_a_process
def exits_with_3() -> None:
    os._exit(3)


@in_a_process
def stops_when_told() -> str:
    logger.warning("runs in %s", os.getpid())
    current_run().progress(os.getpid())
    while not current_run().stopping:
        time.sleep(0.01)
    return "stopped"


@in_a_process
def counts() -> None:
    for number in range(1, 20_001):
        current_run().progress(number, 20_000)


@in_a_process
def reads_standard_input() -> str:
    return sys.stdin.read()
