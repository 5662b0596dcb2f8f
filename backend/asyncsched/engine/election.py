"""The rules of the election, pure: what the lease row says, in; what to do about it, out.

``leadership`` says why they are as they are.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Lease(NamedTuple):
    """The row, as it was read."""

    term: int = 0
    holder: str = ""
    beat: int = 0
    watched: bool = False
    seconds: float = 0.0
    """The lease time its holder goes by, which need not be ours."""
    until: datetime | None = None
    """When the last holder resigned: it has begun no run later."""


class Move(StrEnum):
    """What a candidate does next."""

    TAKE = "take"  # the lead, for it has been given up
    TAKE_OVER = "take over"  # the lead, for its holder has been silent for too long
    ASK = "ask"  # for signs of life
    WAIT = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a candidate has seen last, and since when, by its monotonic clock, it has seen nothing else."""

    seen: Lease
    since: float


def judge(
    lease: Lease, watch: Watch | None, *, me: str, asked_at: float, answered_at: float, silence: float
) -> tuple[Move, Watch | None]:
    """Return what the candidate *me* does about *lease*, and what it watches from now on.

    It asked for the row, and had the answer, when its monotonic clock showed so. *silence* is for how
    many seconds the holder must have given no sign of life; of what is uncertain in them nothing counts.
    """
    if lease.holder in ("", me):  # my own: from a term in which I no longer trust myself
        return Move.TAKE, None
    if not lease.watched:
        return Move.ASK, None
    if watch is None or watch.seen != lease:
        return Move.WAIT, Watch(seen=lease, since=answered_at)
    return (Move.TAKE_OVER if asked_at - watch.since >= silence else Move.WAIT), watch


def is_mine(lease: Lease, *, me: str, term: int) -> bool:
    """True if *lease* says that *me* leads in *term*."""
    return lease.term == term and lease.holder == me
