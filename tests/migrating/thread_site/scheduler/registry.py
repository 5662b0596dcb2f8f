"""What is to be run."""

from collections.abc import Callable
from dataclasses import dataclass

from scheduler.schedules import DailyAt, Every


@dataclass
class ScheduledTask:
    name: str
    func: Callable[[], object]
    schedule: Every | DailyAt
    description: str = ""
    enabled: bool = True


_tasks: dict[str, ScheduledTask] = {}


def register(name, schedule, *, description="", enabled=True):
    def decorate(func):
        _tasks[name] = ScheduledTask(name, func, schedule, description, enabled)
        return func

    return decorate


def get_tasks():
    return dict(_tasks)
