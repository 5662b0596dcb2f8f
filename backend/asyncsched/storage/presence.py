"""Which processes live, and which tasks each of them knows: a row per process, renewed while it lives.

While a process is the only one it renews its row rarely, because a home should not write for nothing;
with company it does so often. Times are the database's. Who stops deletes its row; the row of who
died expires.
"""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from asyncsched.models import Replica
from asyncsched.policy import Scope
from asyncsched.registry import Task
from asyncsched.storage.database_time import database_now

RENEW_ALONE = timedelta(seconds=120)
RENEW_IN_COMPANY = timedelta(seconds=5)
LIVES_ALONE = timedelta(seconds=300)
LIVES_IN_COMPANY = timedelta(seconds=20)
LONG_BREAK = 10.0  # seconds: shorter ones leave everybody the time to renew


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
    sign = {"seen_at": now, "expires_at": now + (LIVES_IN_COMPANY if others else LIVES_ALONE)}
    if not Replica.objects.filter(replica=replica).update(
        **sign
    ):  # what it knows stays the same for as long as it lives
        facts = {task.name: _facts(task) for task in tasks}
        Replica.objects.create(replica=replica, version=version, tasks=facts, started_at=started_at, **sign)
    return others


def expire(replica: str, now: datetime) -> None:
    """*replica* is dead, whatever the contact: its lead was taken over, because it gave no sign of life."""
    Replica.objects.filter(replica=replica, expires_at__gt=now).update(expires_at=F("seen_at"))


class Contact:
    """For how long the database has been in touch without a long break. Belongs to one thread.

    After an outage everybody's presence has expired, until everybody had the time to renew it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = -math.inf
        self._answered_at = -math.inf

    def answered(self) -> None:
        """The database has answered now."""
        moment = self._clock()
        if moment - self._answered_at > LONG_BREAK:
            self._since = moment
        self._answered_at = moment

    @property
    def is_steady(self) -> bool:
        """True if whose presence has expired is dead."""
        moment = self._clock()
        lasts = moment - self._answered_at <= LONG_BREAK
        return lasts and moment - self._since >= LIVES_IN_COMPANY.total_seconds()


def dead(*, but: str, is_steady: bool) -> list[str]:
    """Return the processes that have died, as far as their rows are kept; *but* is who asks, and lives.

    Those count whose lead was taken over; and those whose presence has expired, if the contact *is_steady*.
    """
    expired = Replica.objects.filter(expires_at__lte=database_now()).exclude(replica=but)
    if not is_steady:
        expired = expired.filter(expires_at__lte=F("seen_at"))
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
