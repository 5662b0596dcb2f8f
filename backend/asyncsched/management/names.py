"""Names of tasks as people type them. The code here need not have a task that another process runs."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from django.db import DatabaseError

from asyncsched.errors import UnknownTask
from asyncsched.registry import Task, unknown
from asyncsched.storage.database_time import database_now
from asyncsched.storage.presence_views import names, presence
from asyncsched.storage.situations import names_with_state


def require_known(wanted: Sequence[str], tasks: Iterable[Task]) -> None:
    """Raise UnknownTask for a name that neither the code here, nor a live process, nor a row of state knows.

    *tasks* are those that the code here has.
    """
    here = {task.name for task in tasks}
    if here.issuperset(wanted):
        return
    known = here | names_with_state() | set(_who_knows())
    for name in wanted:
        if name not in known:
            raise unknown(name, known)


def require_code(wanted: Sequence[str], tasks: Iterable[Task]) -> None:
    """Raise UnknownTask for a task that is none of *tasks*, those of the code here, and say who has it."""
    here = {task.name for task in tasks}
    for name in wanted:
        if name not in here:
            whereabouts = _whereabouts(name)
            raise UnknownTask(whereabouts) if whereabouts else unknown(name, here)


def _whereabouts(name: str) -> str | None:
    """Say who has the task *name*, which is not here; None if nobody knows it, or the database does not answer."""
    with suppress(DatabaseError):
        if known_by := _who_knows().get(name):
            return f"task {name!r} is known to {' and '.join(known_by)} only, not to the code here: run it there"
        if name in names_with_state():
            return f"task {name!r} is parked: neither the code here nor any live process has it"
    return None


def _who_knows() -> dict[str, list[str]]:
    """Return what to call the live processes that know a task, by its name."""
    _, replicas = presence(database_now())
    called = names(replicas)
    known: dict[str, list[str]] = {}
    for replica in replicas:
        for name in replica.tasks if replica.is_alive else ():
            known.setdefault(name, []).append(called[replica.replica])
    return known
