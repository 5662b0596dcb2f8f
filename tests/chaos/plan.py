"""What is going to happen, drawn from a seed before anything starts: the same seed makes the same plan."""

import random
from dataclasses import dataclass
from enum import StrEnum

MOST_SKEW = 30.0


class Kind(StrEnum):
    """One way to disturb. The first four hit a replica, the next three its network, the rest the database."""

    KILL = "kill -9"
    TERM = "SIGTERM"
    STOP = "SIGSTOP"
    STOP_BRIEFLY = "SIGSTOP, briefly"
    FREEZE = "network frozen"
    DEAFEN = "answers lost"
    REFUSE = "network refused"
    SEVER = "connections closed"
    SESSIONS = "pg_terminate_backend"
    FAST = "PostgreSQL restart, fast"
    IMMEDIATE = "PostgreSQL restart, immediate"


ON_PROCESSES = (Kind.KILL, Kind.TERM, Kind.STOP, Kind.STOP_BRIEFLY)
ON_DATABASE = (Kind.FAST, Kind.IMMEDIATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One disturbance. Lengths of time are in seconds, *at* counts from the beginning."""

    at: float
    kind: Kind
    length: float
    """How long it lasts; for what is killed or told to stop, how long until it is started again."""
    on_leader: bool
    order: tuple[int, ...]
    """Which replica it is to hit: the first of these that nothing else is happening to."""


def acts(seed: int, *, seconds: float, replicas: int, lease: float, kinds: tuple[Kind, ...]) -> tuple[Act, ...]:
    """Return the acts of *seconds*, in order; each of *kinds* comes once before any comes again."""
    rng = random.Random(f"acts {seed}")
    planned: list[Act] = []
    at = 0.5
    bag: list[Kind] = []
    while at < seconds:
        if not bag:
            bag = rng.sample(kinds, len(kinds))
        kind = bag.pop()
        order = tuple(rng.sample(range(replicas), replicas))
        planned.append(
            Act(at=at, kind=kind, length=_length(rng, kind, lease), on_leader=rng.random() < 0.6, order=order)
        )
        at += rng.uniform(0.15, 0.9) * lease
    return tuple(planned)


def skews(seed: int, *, replicas: int) -> tuple[float, ...]:
    """Return by how many seconds each replica's clock is wrong; two are wrong by the most, in either direction."""
    rng = random.Random(f"skews {seed}")
    extremes = [MOST_SKEW, -MOST_SKEW][:replicas]
    drawn = [*extremes, *(rng.uniform(-MOST_SKEW, MOST_SKEW) for _ in range(replicas - len(extremes)))]
    return tuple(round(skew, 1) for skew in rng.sample(drawn, replicas))


def _length(rng: random.Random, kind: Kind, lease: float) -> float:
    if kind in (Kind.KILL, Kind.TERM):
        return rng.uniform(0.0, 1.0)
    if kind in ON_DATABASE:
        return rng.uniform(0.0, 0.6) * lease
    if kind is Kind.STOP_BRIEFLY:
        return rng.uniform(0.05, 0.6) * lease
    return rng.uniform(1.2, 1.8) * lease
