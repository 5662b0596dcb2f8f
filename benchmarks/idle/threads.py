"""Idle, one thread per task, as it is done where there is no scheduler."""

import threading
import time
from collections.abc import Mapping

from benchmarks.idle.home import TASKS, Due
from benchmarks.idle.meter import Reading, figures


def measure(warm_up: float, seconds: float) -> Mapping[str, float]:
    for task in TASKS:
        threading.Thread(target=_run, args=(task,), daemon=True).start()
    time.sleep(warm_up)
    before = Reading.now()
    time.sleep(seconds)
    return figures(before, Reading.now())


def _run(task: Due) -> None:
    for moment in task.moments():
        time.sleep(max(0.0, moment - time.time()))
        _do_nothing()


def _do_nothing() -> None: ...
