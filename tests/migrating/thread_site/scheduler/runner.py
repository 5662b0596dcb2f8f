"""The threads."""

import logging
import threading

from django.db import close_old_connections

from scheduler.registry import ScheduledTask, get_tasks
from scheduler.schedules import Every

logger = logging.getLogger(__name__)
threads: dict[str, threading.Thread] = {}
stopping = threading.Event()


def execute(task: ScheduledTask) -> None:
    close_old_connections()
    try:
        task.func()
    except Exception:
        logger.exception("%s failed", task.name)
    finally:
        close_old_connections()


def loop(task: ScheduledTask, stop: threading.Event) -> None:
    """What the thread of a task does."""
    if isinstance(task.schedule, Every):
        execute(task)
    while not stop.wait(task.schedule.wait()):
        execute(task)


def watch(stop: threading.Event) -> None:
    """Start each thread anew that has died."""
    while not stop.wait(60):
        for name, task in get_tasks().items():
            if task.enabled and not threads[name].is_alive():
                start_thread(task)


def start_thread(task: ScheduledTask) -> None:
    threads[task.name] = threading.Thread(target=loop, args=(task, stopping), daemon=True)
    threads[task.name].start()


def start() -> None:
    for task in get_tasks().values():
        if task.enabled:
            start_thread(task)
    threading.Thread(target=watch, args=(stopping,), daemon=True).start()
