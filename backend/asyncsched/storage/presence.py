"""Which processes live, and which tasks each of them knows: a row per process, renewed while it lives.

While a process is the only one it renews its row rarely, because a home should not write for nothing;
with company it does so often. Times are the database's. Who stops deletes its row; the row of who
died expires.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from asyncsched.models import Replica
from asyncsched.policy import Scope
from asyncsched.registry import Task
from asyncsched.storage.database_time import database_now

RENEW_ALONE = timedelta(seconds=120)
RENEW_IN_COMPANY = timedelta(seconds=5)
LIVES_ALONE = timedelta(seconds=300)
LIVES_IN_COMPANY = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Others:
    """The other processes that live, and which tasks of scope ``cluster`` each knows."""

    known: tuple[frozenset[str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.known)

    def know_more_than(self, tasks: frozenset[str]) -> bool:
        """True if one of them knows all of *tasks* and others besides, as a newer version does during a deploy."""
        return any(known > tasks for known in self.known)


def renew(replica: str, *, version: str, tasks: Iterable[Task], started_at: datetime, now: datetime) -> Others:
    """Say that *replica* lives, for as long as its company demands; return its company. *now*: the database's time."""
    others = _others(replica, now)
    facts: dict[str, Any] = {
        "version": version,
        "tasks": {task.name: _facts(task) for task in tasks},
        "started_at": started_at,
        "seen_at": now,
        "expires_at": now + (LIVES_IN_COMPANY if others else LIVES_ALONE),
    }
    if not Replica.objects.filter(replica=replica).update(**facts):
        Replica.objects.create(replica=replica, **facts)
    return others


def expire(replica: str, now: datetime) -> None:
    """*replica* is dead: another has taken the lead over, because it gave no sign of life."""
    Replica.objects.filter(replica=replica, expires_at__gt=now).update(expires_at=now)


def dead(*, but: str) -> list[str]:
    """Return the processes that have died, as far as their rows are kept; *but* is who asks, and lives."""
    expired = Replica.objects.filter(expires_at__lte=database_now()).exclude(replica=but)
    return list(expired.values_list("replica", flat=True))


def withdraw(replica: str) -> None:
    """*replica* stops."""
    Replica.objects.filter(replica=replica).delete()


def cluster_tasks(tasks: Iterable[Task]) -> frozenset[str]:
    """Return the names of those that the leader alone runs."""
    return frozenset(task.name for task in tasks if task.options.scope is Scope.CLUSTER)


def _others(replica: str, now: datetime) -> Others:
    rows = Replica.objects.filter(expires_at__gt=now).exclude(replica=replica).values_list("tasks", flat=True)
    return Others(known=tuple(map(_names, rows)))


def _names(tasks: dict[str, dict[str, Any]]) -> frozenset[str]:
    return frozenset(name for name, facts in tasks.items() if facts.get("scope") == Scope.CLUSTER)


def _facts(task: Task) -> dict[str, Any]:
    return {
        "schedule": task.schedule.describe(),
        "scope": task.options.scope.value,
        "enabled": task.options.enabled,
    }
