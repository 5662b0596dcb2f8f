"""What a task is, in words: as this process has registered it, or else as another process tells."""

from collections.abc import Iterator
from dataclasses import dataclass

from asyncsched import conf
from asyncsched.models import Replica
from asyncsched.registry import Task
from asyncsched.server import compose
from asyncsched.storage.presence_views import short_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of tasks by their names."""

    tasks: dict[str, Task]
    """Those of this process, in the project's time zone where they name none."""
    elsewhere: dict[str, str]
    """What other processes say: schedule and scope in words, and who says so."""

    @property
    def names(self) -> set[str]:
        return {*self.tasks, *self.elsewhere}

    def schedule(self, name: str) -> str:
        """Return the schedule in words."""
        if task := self.tasks.get(name):
            return task.schedule.describe()
        return self.elsewhere.get(name, "no process knows a task of this name")


def here() -> dict[str, Task]:
    """Return the tasks of this process, by name, in the project's time zone where they name none."""
    return {task.name: task for task in compose.tasks(conf.load())}


def load() -> Known:
    """Ask the registry and, with one query, all processes."""
    return Known(tasks=here(), elsewhere=dict(_elsewhere()))


def _elsewhere() -> Iterator[tuple[str, str]]:
    """Yield what each process says, seen last comes last; of one that died it is still the best there is."""
    for replica in Replica.objects.order_by("seen_at"):
        for name, facts in replica.tasks.items():
            told = ", ".join(filter(None, (facts["schedule"], f"scope {facts['scope']}", _disabled(facts["enabled"]))))
            yield name, f"{told}; as {short_name(replica.replica)} has it"


def _disabled(enabled: object) -> str:
    return "" if enabled else "not enabled: it runs by hand only"
