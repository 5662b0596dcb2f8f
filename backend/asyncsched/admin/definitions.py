"""What a task is, in words: as this process has registered it, or else as another process tells."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from asyncsched import conf
from asyncsched.errors import ScheduleError
from asyncsched.models import Replica
from asyncsched.policy import CatchUp, Overlap
from asyncsched.registry import Task
from asyncsched.schedules import words
from asyncsched.server import compose
from asyncsched.storage.presence_views import short_name

COMING = 10
OVERLAP = {
    Overlap.SKIP: "an occurrence that comes due meanwhile does not run",
    Overlap.QUEUE: "the latest occurrence that comes due meanwhile runs right afterwards",
    Overlap.ALLOW: "an occurrence that comes due meanwhile runs beside it",
}
CATCH_UP = {
    CatchUp.ONCE: "the latest one runs",
    CatchUp.ALL: "each of them runs",
    CatchUp.NONE: "none runs",
}


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


def load() -> Known:
    """Ask the registry and, with one query, all processes."""
    tasks = {task.name: task for task in compose.tasks(conf.load())}
    return Known(tasks=tasks, elsewhere=dict(_elsewhere()))


def _elsewhere() -> Iterator[tuple[str, str]]:
    """Yield what each process says, seen last comes last; of one that died it is still the best there is."""
    for replica in Replica.objects.order_by("seen_at"):
        for name, facts in replica.tasks.items():
            told = ", ".join(filter(None, (facts["schedule"], f"scope {facts['scope']}", _disabled(facts["enabled"]))))
            yield name, f"{told}; as {short_name(replica.replica)} has it"


def lines(task: Task) -> Iterator[str]:
    """Yield what was asked for with ``register``, a line each."""
    options = task.options
    yield f"{task.kind}, scope {options.scope}, history {options.history}"
    yield f"while a run is going on: {OVERLAP[options.overlap]}"
    window = words.duration(options.catch_up_window.total_seconds())
    yield f"of occurrences missed in the last {window}: {CATCH_UP[options.catch_up]}"
    yield f"a run may take {words.duration(options.timeout) if options.timeout else 'as long as it likes'}"
    if options.retry.attempts > 1:
        yield f"a run that failed is tried up to {options.retry.attempts} times"
    if options.suspend_after:
        rest = words.duration(options.suspend_for)
        yield f"after {options.suspend_after} failures in a row it rests for {rest}, then ever longer"
    if options.enabled_when:
        yield "it runs only while its enabled_when says so"
    if options.run_on_start:
        yield "it also runs when a scheduler starts"
    if options.rerun_abandoned:
        yield "a run whose process died is run again"
    if told := _disabled(options.enabled):
        yield told


def coming(task: Task, now: datetime) -> list[datetime]:
    """Return the next COMING occurrences after *now*, if the task is enabled and has so many."""
    return list(islice(_occurrences(task, now), COMING)) if task.options.enabled else []


def _occurrences(task: Task, now: datetime) -> Iterator[datetime]:
    moment = now
    try:
        while True:
            moment = task.schedule.next_after(moment)
            yield moment
    except ScheduleError:
        return


def _disabled(enabled: object) -> str:
    return "" if enabled else "not enabled: it runs by hand only"
