"""Schedulers of ours, put together. Loaded when Django is set up, as in a server, where `compose` is loaded early."""

from asyncsched import conf
from asyncsched.engine.clock import SystemClock
from asyncsched.engine.runs import RunResult
from asyncsched.engine.shared_clock import SharedClock
from asyncsched.engine.stall import StallWatch
from asyncsched.engine.supervisor import Supervisor
from asyncsched.listeners.logs import LogListener
from asyncsched.server import compose
from asyncsched.storage.memory import MemoryStore


def product() -> Supervisor:
    """Return the whole product: election, stall watch, log lines, statistics, metrics, history."""
    return compose.supervisor(conf.load())


def without_store() -> Supervisor:
    """Return supervision, stall watch, log lines and statistics, and nobody who remembers a run."""
    settings = conf.load()
    tasks = [task for task in compose.tasks(settings) if not task.is_own]  # its own work is on the database
    return Supervisor(
        tasks,
        clock=SharedClock(SystemClock()),
        store=Forgetful(),
        executor=compose.executor(settings, tasks, ""),
        listeners=(LogListener(),),
        stall_watch=StallWatch(settings.stall_threshold),
    )


class Forgetful(MemoryStore):
    """Remembers no run."""

    def record(self, result: RunResult) -> None:
        """Forget it."""
