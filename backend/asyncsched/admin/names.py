"""Which tasks there are to choose from: those registered here, and those that other processes ran."""

from asyncsched.admin.filters import by
from asyncsched.models import TaskState
from asyncsched.registry import registry


def task_names() -> list[tuple[str, str]]:
    """Return the names to filter by. History is not asked: that would read all of it."""
    names = {task.name for task in registry} | set(TaskState.objects.values_list("task", flat=True))
    return [(name, name) for name in sorted(names)]


ByTask = by("task", is_indexed=True, values=task_names)
