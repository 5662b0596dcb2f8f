"""
A scheduler's processes and their database as servers with queues before them: a discrete-event model.

What waits for what is taken from the code, what each step costs from ``costs``, limits and pauses from the code's own
constants:

- **Python** is one server for each process: the event loop and the threads have it in turn.
- **The database thread** of a leader does one thing after the other: claims in the order in which they were asked for,
  and between two of them a batch of ends that are to be written. Each trip takes the *distance* of the database, and
  the server's time.
- **The server** answers as many at once as it has processors, for all processes together.

Nobody gives up: who waits for a claim waits for as long as others get theirs.
"""

import os
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from math import inf
from random import Random
from typing import Any

import simpy

from asyncsched.storage.writer import BREATH, LEAST_IN_BATCH, MOST_IN_BATCH, SOON
from benchmarks.scale.costs import Costs, Part
from benchmarks.scale.load import Start

Process = Generator[simpy.Event, Any, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is asked about. Times are seconds."""

    costs: Costs
    distance: float = 0.0  # what a trip to the database takes longer than on this machine
    shards: int = 1  # leaders, of which each has the tasks that a hash gives it
    in_groups: bool = False  # one transaction claims all that wait, another writes all that have ended
    vacancy: tuple[float, float] = (inf, inf)  # from when until when nobody leads


def simulate(setting: Setting, moments: Sequence[float], *, until: float) -> list[Start]:
    """Return what starts within so many seconds. At each of *moments* another task is due, for the only time."""
    env = simpy.Environment()
    server = simpy.Resource(env, capacity=len(os.sched_getaffinity(0)))
    leaders = [Leader(env, setting, server) for _ in range(setting.shards)]
    starts: list[Start] = []
    dice = Random(setting.shards)  # a hash spreads tasks like dice
    for due in moments:
        env.process(_run(env, dice.choice(leaders), due, setting, starts))
    env.run(until=until if until < inf else None)
    return starts


def _run(env: simpy.Environment, leader: "Leader", due: float, setting: Setting, starts: list[Start]) -> Process:
    """One occurrence: claimed, and run."""
    yield env.timeout(due)
    nobody_from, nobody_until = setting.vacancy
    if nobody_from <= due < nobody_until:
        yield env.timeout(nobody_until - due)
    yield leader.claim()
    yield from leader.python(setting.costs.cpu_per_run)
    starts.append((due, env.now))
    leader.ended()


class Leader:
    """A process that leads: Python, and the thread with the connection to the database."""

    def __init__(self, env: simpy.Environment, setting: Setting, server: simpy.Resource) -> None:
        self._env = env
        self._costs = setting.costs
        self._distance = setting.distance
        self._in_groups = setting.in_groups
        self._most = MOST_IN_BATCH if setting.in_groups else 1
        self._server = server
        self._gil = simpy.Resource(env)
        self._asked: deque[simpy.Event] = deque()
        self._ends = 0  # to be written
        self._write_at = inf
        self._news = env.event()
        env.process(self._thread())

    def python(self, seconds: float) -> Process:
        """Compute."""
        with self._gil.request() as turn:
            yield turn
            yield self._env.timeout(seconds)

    def claim(self) -> simpy.Event:
        """Ask for a claim; return what happens when it is granted."""
        answer = self._env.event()
        self._asked.append(answer)
        self._tell()
        return answer

    def ended(self) -> None:
        """A run has ended: that is to be written soon."""
        self._ends += 1
        self._write_at = min(self._write_at, self._env.now + SOON)
        self._tell()

    def _tell(self) -> None:
        if not self._news.triggered:
            self._news.succeed()

    def _thread(self) -> Process:
        while True:
            if not self._asked and self._env.now < self._write_at:
                self._news = self._env.event()
                pause = [self._env.timeout(self._write_at - self._env.now)] if self._write_at < inf else []
                yield self._env.any_of([self._news, *pause])
            if asked := [self._asked.popleft() for _ in range(min(len(self._asked), self._most))]:
                yield from self._transaction(self._costs.claim, len(asked))
                for answer in asked:
                    answer.succeed()
            if self._env.now >= self._write_at:
                yield from self._write()

    def _write(self) -> Process:
        began = self._env.now
        count = min(self._ends, MOST_IN_BATCH if self._in_groups else LEAST_IN_BATCH)
        self._ends -= count
        if self._in_groups:
            yield from self._transaction(self._costs.claim, count)
        else:
            yield from self._ask(self._costs.end, times=count)
        took = self._env.now - began
        self._write_at = self._env.now + max(BREATH, took) if self._ends else inf

    def _transaction(self, part: Part, count: int) -> Process:
        """Do *part* for so many at once: as many trips as for one, and for each of the others what its row costs."""
        yield from self._ask(part)
        yield from self.python((count - 1) * self._costs.row.cpu)

    def _ask(self, part: Part, *, times: int = 1) -> Process:
        """Do *part* so many times: Python and the database in turn."""
        trips = max(1, round(part.trips * times))
        for _ in range(trips):
            yield from self.python(part.cpu * times / trips)
            yield self._env.timeout(self._distance)
            with self._server.request() as turn:
                yield turn
                yield self._env.timeout(self._costs.wait_per_trip)
