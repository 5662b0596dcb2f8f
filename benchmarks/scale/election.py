"""How long nobody leads, by the rules of the election itself: `engine.election.judge` decides here, too."""

from collections.abc import Generator
from random import Random
from typing import Any

import simpy

from asyncsched.engine.election import Lease, Move, judge
from asyncsched.engine.leadership import LOOK, SILENCE, WATCH

Process = Generator[simpy.Event, Any, None]


class Row:
    """The lease row of the database, which takes *latency* seconds to ask."""

    def __init__(self, env: simpy.Environment, *, seconds: float, latency: float) -> None:
        self.env = env
        self.seconds = seconds
        self.latency = latency
        self.lease = Lease(term=1, holder="leader", watched=True, seconds=seconds)
        self.taken = env.event()


def vacancy(*, standbys: int, seconds: float, latency: float, resigns: bool, dice: Random) -> float:
    """
    Return for how many seconds nobody leads after the leader ended: it *resigns* as after SIGTERM, or it was killed.

    *seconds* is the lease time. When in its round each process looks is left to *dice*.
    """
    env = simpy.Environment()
    row = Row(env, seconds=seconds, latency=latency)
    dies = seconds * (2 + dice.random())
    env.process(_lead(row, dies=dies, resigns=resigns, first=dice.random()))
    for _ in range(standbys):
        env.process(_stand_by(row, first=dice.random()))
    env.run(until=row.taken)
    return float(env.now) - dies


def _lead(row: Row, *, dies: float, resigns: bool, first: float) -> Process:
    """Give signs of life until it ends."""
    env, pause = row.env, row.seconds * LOOK
    yield env.timeout(first * pause)
    while env.now < dies:
        yield env.timeout(2 * row.latency)  # it looks, and gives a sign
        row.lease = row.lease._replace(beat=row.lease.beat + 1)
        yield env.timeout(min(pause, max(0.0, dies - env.now)))
    if resigns:
        yield env.timeout(row.latency)
        row.lease = row.lease._replace(holder="")


def _stand_by(row: Row, *, first: float) -> Process:
    env = row.env
    watch = None
    yield env.timeout(first * row.seconds * WATCH)
    while not row.taken.triggered:
        asked_at = env.now
        yield env.timeout(row.latency)
        move, watch = judge(
            row.lease, watch, me="standby", asked_at=asked_at, answered_at=env.now, silence=row.seconds * SILENCE
        )
        if move in (Move.TAKE, Move.TAKE_OVER):
            yield env.timeout(2 * row.latency)
            if not row.taken.triggered:
                row.taken.succeed()
            return
        yield env.timeout(row.seconds * WATCH)
