"""Tasks and their runs in the words of ``async_tasks list`` and ``async_tasks run``."""

from asyncsched.engine.runs import RunStatus
from asyncsched.management.manual import Attempted
from asyncsched.management.tables import moment, seconds
from asyncsched.storage.queries import TaskView

LIST_HEADER = ("TASK", "SCHEDULE", "STATE", "NEXT RUN", "LAST RUN")


def list_row(view: TaskView) -> tuple[str, ...]:
    """Return the cells of one task, under LIST_HEADER."""
    state = "paused" if view.paused else "enabled" if view.enabled else "disabled"
    if view.last_run is None:
        last = "never"
    else:
        last = f"{moment(view.last_run.started_at)} {view.last_run.status}"
        if view.last_run.duration is not None and view.last_run.status != RunStatus.SKIPPED:
            last += f" in {seconds(view.last_run.duration)}"
        if view.consecutive_failures > 1:
            last += f" ({view.consecutive_failures} failures in a row)"
    return view.name, view.schedule, state, moment(view.next_run), last


def of_attempt(one: Attempted) -> str:
    """Say what became of a task that was to be run by hand."""
    if one.result is None:
        return f"{one.task}: refused, it is already running elsewhere (--force runs it all the same)"
    result = one.result
    took = seconds(result.duration)
    if result.status is RunStatus.SUCCEEDED:
        return f"{one.task}: succeeded in {took}" + (f": {result.value}" if result.value else "")
    if result.status is RunStatus.SKIPPED:
        return f"{one.task}: skipped, its enabled_when says no (--force runs it all the same)"
    return f"{one.task}: {result.status} after {took}: {result.error}"
