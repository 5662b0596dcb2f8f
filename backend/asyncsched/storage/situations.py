"""How every task of a deployment stands, whichever process knows it. Read from the database alone.

A task is looked at if the code here has it, if a live process publishes it, or if it has a state row.
What it is said to be, the first that fits:

``parked``     no live process knows it. Its state and its history stay; a process that knows it takes it up.
``running``    a live process runs it. Of a task below a minute only runs by hand have a row that tells.
``disabled``   it is registered with ``enabled=False``.
``paused``     people want it to rest.
``suspended``  it rests, or is tried again now and then, after ``suspend_after`` failures in a row.
``overdue``    its next occurrence has passed long ago, and so has the one after it.
``unserved``   no process runs it: nobody leads, or the leader does not know it. The latter is what
               happens to a new task in a rolling deploy for as long as an old process leads.
``waiting``    for its next occurrence.

Overdue, to be precise: ``next_run_at``, which the process that runs the task wrote down, lies back by
more than PATIENCE, and by more than the task's own period, by the database's clock. What was due
before anybody could run it does not count: the time begins with the leader's term (for tasks of scope
``replica`` with the start of the first process that knows it). A leader that does not know the task
is not to be blamed, but no leader at all is. The period is known of tasks that the code here has:
only those can be overdue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from asyncsched.engine.runs import RunStatus
from asyncsched.models import TaskRun, TaskState
from asyncsched.policy import Scope
from asyncsched.registry import Task
from asyncsched.storage.claims import LEASE
from asyncsched.storage.presence_views import LEADER, LeadershipView, ReplicaView
from asyncsched.storage.queries import RunView, last_run_view, running_run_view

PATIENCE = timedelta(seconds=150)  # rows of tasks below a minute are written once a minute


class Situation(StrEnum):
    """In one word, how a task stands: see the module."""

    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    DISABLED = "disabled"
    SUSPENDED = "suspended"
    OVERDUE = "overdue"
    UNSERVED = "unserved"
    PARKED = "parked"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSituation:
    """How one task stands. Times are aware, in UTC."""

    name: str
    situation: Situation
    schedule: str | None
    """In words; None if nobody alive and no code here knows it."""
    scope: str | None
    enabled: bool
    paused: bool
    is_registered: bool
    """True if the code here has it."""
    known_by: tuple[str, ...]
    """The identities of the live processes that know it."""
    running_on: tuple[str, ...]
    """The identities of the processes that run it now, a command by hand among them."""
    parked_since: datetime | None
    """When a process that knew it was last heard of, as far as it is known; None unless it is parked."""
    next_run: datetime | None
    """None if it will not run by itself; in the past if it is overdue."""
    last_run: RunView | None
    """The one going on, or the last that ended."""
    last_success_at: datetime | None
    consecutive_failures: int
    runs: int
    failures: int

    def as_json(self) -> dict[str, Any]:
        """Return one element of what ``async_tasks status --json`` prints under ``tasks``."""
        return {
            "name": self.name,
            "state": self.situation.value,
            "schedule": self.schedule,
            "scope": self.scope,
            "enabled": self.enabled,
            "paused": self.paused,
            "registered": self.is_registered,
            "known_by": list(self.known_by),
            "running_on": list(self.running_on),
            "parked_since": self.parked_since.isoformat() if self.parked_since else None,
            "next_run": self.next_run.isoformat() if self.next_run else None,
            "last_run": self.last_run.as_json() if self.last_run else None,
            "last_success_at": self.last_success_at.isoformat() if self.last_success_at else None,
            "consecutive_failures": self.consecutive_failures,
            "runs": self.runs,
            "failures": self.failures,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What is known of all tasks together: the code here, and the processes."""

    now: datetime
    """The database's time."""
    tasks: Mapping[str, Task]
    leadership: LeadershipView
    replicas: tuple[ReplicaView, ...]
    """The processes, the leader first and the dead last."""
    is_elected: bool = True
    """False where every process runs everything: such processes tell nobody of themselves."""

    @property
    def living(self) -> tuple[ReplicaView, ...]:
        return tuple(replica for replica in self.replicas if replica.is_alive)

    def names(self) -> list[str]:
        """Return every task that is registered here, or known to a live process; those here first."""
        return list(dict.fromkeys([*self.tasks, *(name for replica in self.living for name in sorted(replica.tasks))]))

    def known_by(self, name: str) -> tuple[ReplicaView, ...]:
        """Return the live processes that know the task *name*, the leader first."""
        return tuple(replica for replica in self.living if name in replica.tasks)


def situations(deployment: Deployment) -> tuple[TaskSituation, ...]:
    """Return how each task stands, with two queries.

    First those registered here, then those of live processes, then those that only have a state row.
    """
    states = TaskState.objects.in_bulk()
    running = _running(deployment)
    names = dict.fromkeys([*deployment.names(), *sorted(states)])
    subjects = (
        _Subject(
            deployment=deployment,
            task=deployment.tasks.get(name),
            known_by=deployment.known_by(name),
            state=states.get(name) or TaskState(task=name),
            running=running.get(name, ()),
        )
        for name in names
    )
    return tuple(subject.view() for subject in subjects)


def names_with_state() -> set[str]:
    """Return the names of all tasks that have a row of state, whoever knows them still."""
    return set(TaskState.objects.values_list("task", flat=True))


def _running(deployment: Deployment) -> dict[str, list[TaskRun]]:
    """Return the runs in processes that live, oldest first, by task.

    A run by hand is in a process without a presence of its own: it shows that it lives by a heartbeat.
    """
    alive = {replica.replica for replica in deployment.living}
    rows = TaskRun.objects.filter(status=RunStatus.RUNNING).defer("result", "error", "traceback")
    running: dict[str, list[TaskRun]] = {}
    for run in rows.order_by("started_at"):
        if run.replica in alive or (run.heartbeat_at or run.started_at) > deployment.now - LEASE:
            running.setdefault(run.task, []).append(run)
    return running


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """A task, and all that is known of it."""

    deployment: Deployment
    task: Task | None
    known_by: tuple[ReplicaView, ...]
    state: TaskState
    running: Sequence[TaskRun]

    @property
    def published(self) -> Mapping[str, Any]:
        """How it is defined: the leader's word first, then that of another live process, then of the code here."""
        name = self.state.task
        if self.known_by:
            return self.known_by[0].tasks[name]
        if self.task is None:
            return {}
        options = self.task.options
        return {"schedule": self.task.schedule.describe(), "scope": options.scope.value, "enabled": options.enabled}

    @property
    def is_enabled(self) -> bool:
        return bool(self.published.get("enabled"))

    @property
    def is_served(self) -> bool:
        """True if a live process would run it, as far as that can be known."""
        if not self.deployment.is_elected:
            return self.task is not None or bool(self.known_by)
        if self.published.get("scope") == Scope.REPLICA:
            return bool(self.known_by)
        return any(replica.role == LEADER for replica in self.known_by)

    @property
    def is_suspended(self) -> bool:
        limit = self.task.options.suspend_after if self.task else None
        return limit is not None and self.state.consecutive_failures >= limit

    @property
    def is_overdue(self) -> bool:
        """True by the rule at the top of the module."""
        if (
            self.task is None
            or self.state.next_run_at is None
            or (self.deployment.leadership.leads and not self.is_served)
        ):
            return False
        since = self._served_since
        due = self.state.next_run_at
        if since is not None and since > due:
            due = self.task.schedule.next_after(since)
        return self.deployment.now > max(due + PATIENCE, self.task.schedule.next_after(due))

    @property
    def _is_left_out(self) -> bool:
        """True if there are processes, and none of them knows it."""
        return self.deployment.is_elected and bool(self.deployment.living)

    @property
    def _served_since(self) -> datetime | None:
        if self.published.get("scope") == Scope.REPLICA:
            return min((replica.started_at for replica in self.known_by), default=None)
        return self.deployment.leadership.since if self.is_served else None

    @property
    def _last_known_at(self) -> datetime | None:
        name = self.state.task
        heard_of = [replica.seen_at for replica in self.deployment.replicas if name in replica.tasks]
        ran = self.state.last_finished_at or self.state.last_started_at
        return max([*heard_of, *([ran] if ran else [])], default=None)

    def situation(self) -> Situation:
        """Return the first that fits, of the list at the top of the module."""
        candidates = (
            (Situation.PARKED, not self.known_by and (self.task is None or self._is_left_out)),
            (Situation.RUNNING, self.running),
            (Situation.DISABLED, not self.is_enabled),
            (Situation.PAUSED, self.state.paused),
            (Situation.SUSPENDED, self.is_suspended),
            (Situation.OVERDUE, self.is_overdue),
            (Situation.UNSERVED, not self.is_served),
        )
        return next((situation for situation, fits in candidates if fits), Situation.WAITING)

    def view(self) -> TaskSituation:
        """Return it as people see it."""
        situation = self.situation()
        state = self.state
        return TaskSituation(
            name=state.task,
            situation=situation,
            schedule=self.published.get("schedule"),
            scope=self.published.get("scope"),
            enabled=self.is_enabled,
            paused=state.paused,
            is_registered=self.task is not None,
            known_by=tuple(replica.replica for replica in self.known_by),
            running_on=tuple(dict.fromkeys(run.replica for run in self.running)),
            parked_since=self._last_known_at if situation is Situation.PARKED else None,
            next_run=self._next_run(situation),
            last_run=running_run_view(self.running[-1]) if self.running else last_run_view(state),
            last_success_at=state.last_success_at,
            consecutive_failures=state.consecutive_failures,
            runs=state.runs,
            failures=state.failures,
        )

    def _next_run(self, situation: Situation) -> datetime | None:
        if situation in (Situation.PARKED, Situation.UNSERVED) or not self.is_enabled or self.state.paused:
            return None
        if self.task is None or situation is Situation.OVERDUE:
            return self.state.next_run_at
        return self.task.schedule.next_after(self.deployment.now)
