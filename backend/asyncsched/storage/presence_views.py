"""The read side of a deployment: which processes there are, and which of them leads."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncsched.models import Lease, Replica
from asyncsched.storage.lease import NAME

SHORT_ID = 6  # characters that tell two processes of one host and pid apart

LEADER, STANDBY, DEAD = "leader", "standby", "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaView:
    """One process that runs a scheduler, or did so until it died without a word. Times are aware, in UTC."""

    replica: str
    """``host:pid:incarnation``: its identity."""
    host: str
    pid: int | None
    """None if the identity is not of the usual form."""
    incarnation: str
    version: str
    role: str
    """``leader``, ``standby`` or ``dead``."""
    started_at: datetime
    seen_at: datetime
    expires_at: datetime
    tasks: Mapping[str, Mapping[str, Any]]
    """What it knows: by name of the task, its schedule in words, its scope and whether it is enabled."""

    @property
    def is_alive(self) -> bool:
        """True until ``expires_at`` has passed, by the database's clock."""
        return self.role != DEAD

    def as_json(self) -> dict[str, Any]:
        """Return one element of what ``async_tasks status --json`` prints under ``replicas``."""
        return {
            "replica": self.replica,
            "host": self.host,
            "pid": self.pid,
            "version": self.version,
            "role": self.role,
            "started_at": self.started_at.isoformat(),
            "seen_at": self.seen_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
            "tasks": sorted(self.tasks),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadershipView:
    """Who leads, or led last."""

    term: int
    """0 if nobody ever led."""
    holder: str
    """The identity of the process that holds the lease, alive or not; empty if the last one resigned."""
    since: datetime | None
    """When the term began."""
    until: datetime | None
    """When its holder resigned."""
    leads: bool
    """True if the holder is alive."""

    def as_json(self) -> dict[str, Any]:
        """Return what ``async_tasks status --json`` prints under ``leader``."""
        return {
            "replica": self.holder or None,
            "leads": self.leads,
            "term": self.term,
            "since": self.since.isoformat() if self.since else None,
            "resigned_at": self.until.isoformat() if self.until and not self.holder else None,
        }


def presence(now: datetime) -> tuple[LeadershipView, tuple[ReplicaView, ...]]:
    """Return who leads and all processes, the leader first and the dead last, with two queries.

    *now* is the database's time: it decides who is alive.
    """
    lease = Lease.objects.filter(name=NAME).first() or Lease(name=NAME)
    rows = Replica.objects.order_by("started_at", "replica")
    replicas = sorted((replica_view(row, lease.holder, now) for row in rows), key=_rank)
    leads = any(replica.role == LEADER for replica in replicas)
    leadership = LeadershipView(term=lease.term, holder=lease.holder, since=lease.since, until=lease.until, leads=leads)
    return leadership, tuple(replicas)


def replica_view(row: Replica, holder: str, now: datetime) -> ReplicaView:
    """Return how the process of *row* stands at *now*, the database's time; *holder* holds the lease."""
    host, pid, incarnation = _parts(row.replica)
    alive = row.expires_at > now
    return ReplicaView(
        replica=row.replica,
        host=host,
        pid=pid,
        incarnation=incarnation,
        version=row.version,
        role=(LEADER if row.replica == holder else STANDBY) if alive else DEAD,
        started_at=row.started_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        tasks=row.tasks,
    )


def names(replicas: Iterable[ReplicaView]) -> dict[str, str]:
    """Return what to call each process, by identity, as ``names_of`` does."""
    return names_of(replica.replica for replica in replicas)


def names_of(identities: Iterable[str]) -> dict[str, str]:
    """Return what to call the process of each identity: ``host:pid``, and more where that is not unique.

    It is not where a container was restarted: host and pid are those of the one that died.
    """
    short = {identity: short_name(identity) for identity in identities}
    count = Counter(short.values())
    return {
        identity: name if count[name] == 1 else f"{name}:{_parts(identity)[2][:SHORT_ID]}"
        for identity, name in short.items()
    }


def short_name(replica: str) -> str:
    """Return ``host:pid`` of the identity *replica*."""
    host, pid, _ = _parts(replica)
    return host if pid is None else f"{host}:{pid}"


def _parts(replica: str) -> tuple[str, int | None, str]:
    parts = replica.rsplit(":", 2)
    if len(parts) == 3 and parts[1].isdecimal():
        return parts[0], int(parts[1]), parts[2]
    return replica, None, ""


def _rank(replica: ReplicaView) -> int:
    return (LEADER, STANDBY, DEAD).index(replica.role)
