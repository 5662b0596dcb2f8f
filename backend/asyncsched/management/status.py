"""``async_tasks status``: is the deployment well, by what its processes wrote into the database?

It asks nobody else, so it works beside a running server, on another machine, and without any server.
A leader that is alone renews its presence rarely; it is asked for a sign of life, in the database, too.

Healthy is a deployment in which

1. at least one process lives: its presence has not expired, by the database's clock;
2. one of those that live holds the lease, and answers if it is alone, unless every task is of scope
   ``replica``: nobody has to lead then;
3. no task is overdue: ``storage.situations`` says what that is, and what else a task may be;
4. where alerts are looked for, every task has succeeded in time: ``engine.overdue`` says what that is.

Where ``ELECTION`` is False processes elect nobody and tell nobody of themselves: only 3 counts there.

Everything else is shown and changes nothing: failing and suspended tasks, because a container must not
be restarted for a home that is away; parked ones, because they harm nobody; a task that waits for a
leader that knows it, because the rolling deploy that made it so goes on. Dead processes are shown
for as long as they have a row.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from asyncsched import alerts, conf
from asyncsched.alerts import Alert
from asyncsched.management.tables import about, moment
from asyncsched.policy import Scope
from asyncsched.registry import Task
from asyncsched.storage.database_time import database_now
from asyncsched.storage.lease import gives_sign_of_life
from asyncsched.storage.presence import LIVES_IN_COMPANY
from asyncsched.storage.presence_views import LEADER, LeadershipView, ReplicaView, names, presence, short_name
from asyncsched.storage.situations import Deployment, Situation, TaskSituation, situations

ANSWERS_WITHIN = 0.3  # of the lease time: a leader looks at the lease three times meanwhile
MOST_TOLD = 5  # tasks that get a line of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What there is, and what to think of it."""

    now: datetime
    """The database's time, in UTC."""
    leadership: LeadershipView
    replicas: tuple[ReplicaView, ...]
    tasks: tuple[TaskSituation, ...]
    is_enabled: bool
    """False if the settings here say that no scheduler is to run."""
    is_elected: bool
    """False if they say that processes run everything, elect nobody, and so tell nobody of themselves."""
    unanswered_for: float | None = None
    """The seconds for which the leader, being alone, was asked for a sign of life and gave none."""
    alerts: tuple[Alert, ...] = ()
    """The tasks that have not succeeded in time, if that was looked for."""

    @property
    def living(self) -> tuple[ReplicaView, ...]:
        return tuple(replica for replica in self.replicas if replica.is_alive)

    @property
    def is_healthy(self) -> bool:
        return not self.reasons

    @property
    def is_alive(self) -> bool:
        """False if no process runs tasks; True as well where that cannot be known."""
        return not self.is_elected or (bool(self.living) and self.unanswered_for is None)

    @property
    def needs_leader(self) -> bool:
        """True if there is a task that only a leader runs, known to the code here or to a live process."""
        return self.is_elected and any(
            task.scope == Scope.CLUSTER for task in self.tasks if task.is_registered or task.known_by
        )

    @property
    def reasons(self) -> list[str]:
        """Say why it is not healthy, a sentence each."""
        if not self.living and self.is_elected:
            return [self._no_process, *self._unsuccessful]
        no_leader = [] if self.leadership.leads or not self.needs_leader else [self._no_leader]
        if self.unanswered_for is not None and self.needs_leader:
            who = self.who([self.leadership.holder])
            no_leader = [
                f"no process leads: {who} holds the lease, but gave no sign of life for {self.unanswered_for:g} s"
            ]
        return no_leader + self._overdue + self._unsuccessful

    @property
    def warnings(self) -> list[str]:
        """Say what is well as it is, and yet worth to know, a sentence each."""
        return [
            f"{task.name} waits for a leader that knows it: so far {self.who(task.known_by)} does"
            for task in self.tasks
            if task.situation is Situation.UNSERVED and self.leadership.leads
        ]

    def who(self, replicas: Iterable[str]) -> str:
        """Return what to call these processes, by their identities."""
        known = names(self.replicas)
        return " and ".join(known.get(replica, short_name(replica)) for replica in replicas)

    def as_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "healthy": self.is_healthy,
            "reasons": self.reasons,
            "warnings": self.warnings,
            "at": self.now.isoformat(),
            "leader": self.leadership.as_json(),
            "replicas": [replica.as_json() for replica in self.replicas],
            "tasks": [task.as_json() for task in self.tasks],
        }

    @property
    def _no_process(self) -> str:
        if not self.is_enabled:
            return "no process runs the scheduler, and here settings.ASYNCSCHED['ENABLED'] is False"
        if not self.replicas:
            return "no process runs the scheduler: start a server"
        last = max(self.replicas, key=lambda replica: replica.seen_at)
        return f"no process lives: {self.who([last.replica])} has died, and was last seen {self._ago(last.seen_at)}"

    @property
    def _no_leader(self) -> str:
        leadership = self.leadership
        if not leadership.term:
            return "no process leads, and none ever has"
        if not leadership.holder:
            resigned = f" {self._ago(leadership.until)}" if leadership.until else ""
            return f"no process leads: the leader of term {leadership.term} resigned{resigned}"
        seen = [replica.seen_at for replica in self.replicas if replica.replica == leadership.holder]
        fate = f"was last seen {self._ago(seen[0])}" if seen else "is gone"
        return f"no process leads: {self.who([leadership.holder])} holds term {leadership.term}, and {fate}"

    @property
    def _overdue(self) -> list[str]:
        overdue = [task for task in self.tasks if task.situation is Situation.OVERDUE]
        return _the_first_of(
            [f"{task.name} is overdue: {task.schedule}, and due since {moment(task.next_run)}" for task in overdue],
            "more tasks are overdue",
        )

    @property
    def _unsuccessful(self) -> list[str]:
        return _the_first_of(
            [
                f"{alert.task} has not succeeded in time: {alert.schedule}, expected by {moment(alert.expected_by)}, "
                + (f"last success {moment(alert.last_success_at)}" if alert.last_success_at else "and it never has")
                for alert in self.alerts
            ],
            "more tasks have not succeeded in time",
        )

    def _ago(self, when: datetime) -> str:
        return f"{about(max(self.now - when, timedelta()))} ago"


def _the_first_of(sentences: list[str], more: str) -> list[str]:
    rest = len(sentences) - MOST_TOLD
    return [*sentences[:MOST_TOLD], f"{rest} {more}"] if rest > 0 else sentences


def status_with_alerts(tasks: Iterable[Task], settings: conf.Settings) -> Status:
    """Return the status of the deployment, having raised the alerts that are due, as a running process would."""
    tasks = tuple(tasks)
    found = status(tasks, settings)
    return replace(found, alerts=tuple(alerts.look(tasks, is_scheduler_alive=found.is_alive)))


def status(tasks: Iterable[Task], settings: conf.Settings) -> Status:
    """Return the status of the deployment; *tasks* are those that the code here has."""
    now = database_now()
    leadership, replicas = presence(now)
    patience = ANSWERS_WITHIN * settings.lease_seconds
    is_silent = settings.election and _leads_alone(replicas) and not gives_sign_of_life(patience)
    deployment = Deployment(
        now=now,
        tasks={task.name: task for task in tasks},
        leadership=leadership,
        replicas=replicas,
        is_elected=settings.election,
    )
    return Status(
        now=now,
        leadership=leadership,
        replicas=replicas,
        tasks=situations(deployment),
        is_enabled=settings.enabled,
        is_elected=settings.election,
        unanswered_for=patience if is_silent else None,
    )


def _leads_alone(replicas: Iterable[ReplicaView]) -> bool:
    lives = (replica.expires_at - replica.seen_at for replica in replicas if replica.role == LEADER)
    return any(life > 2 * LIVES_IN_COMPANY for life in lives)
