"""What is going to break, drawn from a seed before anything starts: the same seed makes the same plan."""

import random
from dataclasses import dataclass
from enum import StrEnum

LEADER = "leader"
REPLICAS, WORKERS = ("r1", "r2"), ("w1", "w2")


class Kind(StrEnum):
    """One way to disturb. What hits processes comes first, then the network to the database, then the broker."""

    KILL = "kill -9"
    KILL_ALL = "kill -9, with its children"
    KILL_CHILD = "kill -9 of a child"
    TERM = "SIGTERM"
    STOP = "SIGSTOP"
    FREEZE = "network frozen"
    DEAFEN = "answers lost"
    REFUSE = "network refused"
    SEVER = "connections closed"
    BROKER = "broker restarted, empty"


OF_REPLICAS = (Kind.KILL, Kind.TERM, Kind.STOP, Kind.FREEZE, Kind.DEAFEN, Kind.REFUSE, Kind.SEVER)
OF_WORKERS = (*OF_REPLICAS, Kind.KILL_ALL, Kind.KILL_CHILD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One disturbance of *who*, ``at`` so many seconds after the beginning, for *length* seconds."""

    at: float
    kind: Kind
    who: str
    length: float


def acts(seed: int, *, seconds: float, longest: float) -> tuple[Act, ...]:
    """Return what is done within *seconds*, in order; nothing lasts longer than *longest* seconds."""
    rng = random.Random(f"hand-offs {seed}")
    all_there_are = [
        *((kind, LEADER) for kind in OF_REPLICAS),
        *((kind, who) for kind in OF_REPLICAS for who in REPLICAS),
        *((kind, who) for kind in OF_WORKERS for who in WORKERS),
        *[(Kind.BROKER, "broker")] * 3,
    ]
    planned: list[Act] = []
    bag: list[tuple[Kind, str]] = []
    at = rng.uniform(0.5, 2.0)
    while at < seconds:
        bag = bag or rng.sample(all_there_are, len(all_there_are))
        kind, who = bag.pop()
        planned.append(Act(at=at, kind=kind, who=who, length=rng.uniform(0.2, longest)))
        at += rng.uniform(0.5, 3.0)
    return tuple(planned)
