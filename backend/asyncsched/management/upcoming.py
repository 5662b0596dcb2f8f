"""What comes next, over all tasks."""

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime

from asyncsched.errors import ScheduleError
from asyncsched.registry import Task


def upcoming(tasks: Iterable[Task], after: datetime) -> Iterator[tuple[datetime, Task]]:
    """Yield the occurrences of *tasks* after *after*, in order, for as long as there are any."""
    for moment, _, task in heapq.merge(*(_of(task, after) for task in tasks)):
        yield moment, task


def _of(task: Task, moment: datetime) -> Iterator[tuple[datetime, str, Task]]:
    while True:
        try:
            moment = task.schedule.next_after(moment)
        except ScheduleError:
            return  # the year 9999
        yield moment, task.name, task
