"""Starts the replicas, breaks what the plan says, and brings back the evidence."""

import heapq
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.chaos import database, plan
from tests.chaos.observer import Observer
from tests.chaos.plan import ON_DATABASE, ON_PROCESSES, Act, Kind
from tests.chaos.project import jobs
from tests.chaos.records import Deed, Evidence, Limits, What
from tests.chaos.replicas import PROJECT, Replica
from tests.support.servers import DAPHNE, LEAKS, ROOT, UVICORN
from tests.support.tcp_proxy import TcpProxy

PATIENCE = 60.0  # seconds for the replicas to come up, or to end
TICK = 0.02
RECOVERY = 2.0  # seconds in which a disturbed replica is left in peace


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is to be broken, for how long, and by which seed."""

    database: str
    """``postgres`` or ``sqlite``."""
    seed: int
    seconds: float
    replicas: int = 5
    jobs: int = jobs.MOST
    lease: float = 10.0
    election: bool = True
    """False: every replica runs everything, so that the checker has something to see."""

    @property
    def is_networked(self) -> bool:
        """True if a network lies between the replicas and the database, and they may be on several machines."""
        return self.database == "postgres"

    def acts(self) -> tuple[Act, ...]:
        """Return what is going to happen."""
        kinds = tuple(Kind) if self.is_networked else ON_PROCESSES
        return plan.acts(self.seed, seconds=self.seconds, replicas=self.replicas, lease=self.lease, kinds=kinds)

    def skews(self) -> tuple[float, ...]:
        """Return by how many seconds each replica's clock is wrong; on one machine there is one clock."""
        none = (0.0,) * self.replicas
        return plan.skews(self.seed, replicas=self.replicas) if self.is_networked else none


class Chaos:
    """One run. *folder* keeps the ledgers and the replicas' logs."""

    def __init__(self, scenario: Scenario, limits: Limits, folder: Path) -> None:
        self.scenario = scenario
        self.limits = limits
        self.folder = folder
        self.leaks: list[str] = []
        self._deeds: list[Deed] = []
        self._pending: list[tuple[float, int, Callable[[], None]]] = []
        self._ties = itertools.count()
        self._jobs = jobs.chosen(scenario.jobs)
        self._told: set[str] = set()
        self._database_is_up = True

    def run(self) -> Evidence:
        """Do it all, from the first start to the last exit."""
        with database.provided(self.scenario.database, self.folder) as self._database, self._replicas():
            _migrate(self._database.url(None))
            self._observer = Observer(self._database)
            self._observer.start()
            for replica in self._all:
                replica.start()
            self._wait_for(self._are_all_at_work, "every replica has run a task")
            if self.scenario.election:
                self._wait_for(self._is_led, "somebody leads")
            began = time.monotonic()
            self._break(began)
            self._settle()
            ended = time.monotonic()
            self._end()
            self._observer.stop()
            return Evidence(
                jobs=self._jobs,
                starts=tuple(sorted((s for r in self._all for s in r.starts()), key=lambda start: start.at)),
                deeds=tuple(sorted(self._deeds, key=lambda deed: deed.at)),
                rows=database.history(self._database),
                leads=tuple(self._observer.leads),
                began=began,
                ended=ended,
            )

    @contextmanager
    def _replicas(self) -> Iterator[None]:
        with ExitStack() as stack:
            self._all = [self._replica(number, skew, stack) for number, skew in enumerate(self.scenario.skews())]
            yield
            self.leaks = [line for replica in self._all for line in _leaks(replica)]

    def _replica(self, number: int, skew: float, stack: ExitStack) -> Replica:
        server = self._database.server
        proxy = stack.enter_context(TcpProxy(server.port)) if server else None
        replica = Replica(
            f"r{number + 1}",
            UVICORN if number % 2 else DAPHNE,
            folder=self.folder,
            environment={
                "DATABASE_URL": self._database.url(proxy.port if proxy else None),
                "CHAOS_ASYNCSCHED": json.dumps(
                    {"LEASE_SECONDS": self.scenario.lease, "ELECTION": self.scenario.election}
                ),
                "CHAOS_JOBS": str(self.scenario.jobs),
                "CHAOS_SKEW": str(skew),
            },
            proxy=proxy,
            note=self._deeds.append,
        )
        stack.callback(replica.server.kill)
        return replica

    def _break(self, began: float) -> None:
        """Let happen what is planned."""
        for act in self.scenario.acts():
            self._at(began + act.at, lambda act=act: self._begin(act))  # type: ignore[misc]
        self._advance(lambda: time.monotonic() >= began + self.scenario.seconds)

    def _settle(self) -> None:
        """Let what has begun come to its end and everybody come back; then every task has its turn.

        That one has none is for the checker to find, so the wait is longer than any silence allowed.
        """
        self._advance(lambda: not self._pending and not self._told and self._database_is_up)
        self._wait_for(self._are_all_at_work, "every replica is back")
        since = time.monotonic()
        longest = since + self.limits.lease + self.limits.tolerance + max(job.period for job in self._jobs) + RECOVERY
        self._advance(lambda: self._have_all_started(since) or time.monotonic() > longest, tick=0.25)

    def _are_all_at_work(self) -> bool:
        return all(replica.is_at_work() for replica in self._all)

    def _is_led(self) -> bool:
        return self._observer.leader is not None and any(
            start.term for replica in self._all for start in replica.starts()
        )

    def _have_all_started(self, since: float) -> bool:
        """True if every task has started after *since*."""
        started = {start.task for replica in self._all for start in replica.starts() if start.at > since}
        return all(job.name in started for job in self._jobs)

    def _end(self) -> None:
        for replica in self._all:
            if not replica.has_ended:
                replica.begin(Kind.TERM, 0.0)
        self._wait_for(lambda: all(replica.has_ended for replica in self._all), "every replica has ended", alive=False)
        for replica in self._all:
            replica.note_exit()

    def _advance(self, is_over: Callable[[], bool], *, tick: float = TICK) -> None:
        while not is_over():
            while self._pending and self._pending[0][0] <= time.monotonic():
                heapq.heappop(self._pending)[2]()
            for replica in self._all:
                if replica.has_ended:
                    self._after_exit(replica)
            time.sleep(tick)

    def _at(self, moment: float, work: Callable[[], None]) -> None:
        heapq.heappush(self._pending, (moment, next(self._ties), work))

    def _begin(self, act: Act) -> None:
        if act.kind in ON_DATABASE:
            self._restart_database(act)
            return
        replica = self._choose(act)
        if replica is None:
            return
        if act.kind is Kind.SESSIONS:
            assert isinstance(self._database, database.PostgresDatabase)
            if self._database_is_up:
                replica.note_sessions(self._database.terminate_sessions(replica.name))
            return
        replica.free_at = None
        end = replica.begin(act.kind, act.length)
        if act.kind is Kind.TERM:
            self._told.add(replica.name)
        elif end is None:
            replica.free_at = time.monotonic()
        else:
            if self._database.is_barred_by(replica.pid):
                self._note_database(What.DATABASE_DOWN, f"locked by {replica.name}, which is stopped")
                end = self._unbarred(end)
            self._at(time.monotonic() + act.length, partial(self._finish, replica, end))

    def _unbarred(self, end: Callable[[], None]) -> Callable[[], None]:
        def unbar() -> None:
            end()
            self._note_database(What.DATABASE_UP)

        return unbar

    def _note_database(self, what: What, detail: str = "") -> None:
        self._deeds.append(Deed(at=time.monotonic(), what=what, detail=detail))

    def _finish(self, replica: Replica, end: Callable[[], None]) -> None:
        end()
        replica.free_at = time.monotonic() + RECOVERY

    def _choose(self, act: Act) -> Replica | None:
        """Return the replica to be hit, None if there is none that is left in peace."""
        free = [self._all[i] for i in act.order if self._all[i].free_at is not None]
        free = [replica for replica in free if (replica.free_at or 0.0) <= time.monotonic() and replica.is_at_work()]
        leading = [replica for replica in free if replica.pid == self._observer.leader]
        return next(iter([*(leading if act.on_leader else []), *free]), None)

    def _after_exit(self, replica: Replica) -> None:
        """Start again what was told to stop; what was killed is started by the plan, and the rest is a violation."""
        if replica.free_at is None and replica.name not in self._told:
            return  # killed
        replica.note_exit()
        if not replica.ended_as_it_should or replica.name not in self._told:
            self.leaks.append(f"{replica.name} ended with code {replica.server.process.returncode}")
        self._told.discard(replica.name)
        self._finish(replica, replica.start)

    def _restart_database(self, act: Act) -> None:
        server = self._database.server
        assert server is not None
        if not self._database_is_up:
            return
        self._database_is_up = False
        mode = "fast" if act.kind is Kind.FAST else "immediate"
        self._note_database(What.DATABASE_DOWN, f"{mode}, {act.length:.1f} s")
        server.stop(mode)
        self._at(time.monotonic() + act.length, self._start_database)

    def _start_database(self) -> None:
        server = self._database.server
        assert server is not None
        server.start()
        self._note_database(What.DATABASE_UP)
        self._database_is_up = True

    def _wait_for(self, condition: Callable[[], bool], what: str, *, alive: bool = True) -> None:
        """Return once *condition* holds. Raises TimeoutError if it does not in time, or a replica ends that is to live.

        Then there is no evidence to be judged: something is broken that nobody has broken.
        """
        deadline = time.monotonic() + PATIENCE
        while not condition():
            ended = [replica.name for replica in self._all if alive and replica.has_ended]
            if ended or time.monotonic() > deadline:
                logs = "\n".join(f"{replica.name}:\n{replica.server.log[-2000:]}" for replica in self._all)
                raise TimeoutError(f"not within {PATIENCE:g} s: {what}; ended: {', '.join(ended) or 'none'}\n{logs}")
            time.sleep(TICK)


def _migrate(url: str) -> None:
    environment = {
        "DATABASE_URL": url,
        "PYTHONPATH": os.pathsep.join([str(PROJECT), str(ROOT / "backend")]),
        "SECRET_KEY": "for tests only",
        "DJANGO_SETTINGS_MODULE": "settings",
    }
    command = [sys.executable, str(PROJECT / "manage.py"), "migrate", "--verbosity", "0"]
    subprocess.run(command, env=os.environ | environment, check=True, timeout=60)


def _leaks(replica: Replica) -> list[str]:
    return [
        f"{replica.name}: {line}" for line in replica.server.log.splitlines() if any(leak in line for leak in LEAKS)
    ]
