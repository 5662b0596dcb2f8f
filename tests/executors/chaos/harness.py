"""Starts servers and workers, breaks what the plan says, lets everything heal, and brings back the evidence."""

import heapq
import itertools
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tests.chaos import database
from tests.executors.chaos import plan
from tests.executors.chaos.checker import Evidence, Note, Row
from tests.executors.chaos.party import Party
from tests.executors.chaos.plan import LEADER, REPLICAS, WORKERS, Act, Kind
from tests.executors.project.errands import notes
from tests.support.servers import DAPHNE, ROOT, Server
from tests.support.servers import Kind as ServerKind
from tests.support.tcp_proxy import TcpProxy
from tests.support.valkey import running_valkey

PROJECT = Path(__file__).parent.parent / "project"
TICK = 0.05
PATIENCE = 60.0  # seconds until everything is at work
BEAT = 0.5
LEASE = 3.0
CHORES = ("quick", "middling", "long", "limited", "flaky", "again")
WORKER = "-m celery --app celery_app worker --loglevel INFO --concurrency 2 --queues errands --without-gossip "
ROWS = """
    SELECT run_id, task, scheduled_for, attempt, status, error, extract(epoch FROM started_at)
    FROM asyncsched_taskrun
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is to be broken, for how long, and by which seed."""

    seed: int
    seconds: float
    longest: float = 9.0
    """Seconds that one disturbance lasts at most: a worker is dead after 12 beats."""
    heals_within: float = 120.0
    """Seconds from the last disturbance until every run that had begun is to have ended."""


class Chaos:
    """One run of it. *folder* keeps notes and logs."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.deeds: list[str] = []
        self._scenario = scenario
        self._folder = folder
        self._rng = random.Random(scenario.seed)
        self._pending: list[tuple[float, int, Callable[[], None]]] = []
        self._ties = itertools.count()
        self._broker_is_up = True
        self._began = time.monotonic()

    def run(self) -> Evidence:
        """Do it all, from the first start to the last exit."""
        with database.provided("postgres", self._folder) as self._database, running_valkey() as self._broker:
            self._manage("migrate", "--verbosity", "0")
            with self._parties():
                for party in self._all.values():
                    party.start()
                self._advance(lambda: bool(self._notes()), within=PATIENCE)
                self._began = time.monotonic()
                for act in plan.acts(
                    self._scenario.seed, seconds=self._scenario.seconds, longest=self._scenario.longest
                ):
                    self._at(self._began + act.at, partial(self._do, act))
                self._advance(lambda: not self._pending, within=float("inf"))
                return self._after_healing()

    def _after_healing(self) -> Evidence:
        healed, healed_at = time.monotonic(), datetime.now(UTC).timestamp()
        self._say("everything is whole again")
        self._advance(lambda: self._is_well(healed_at), within=self._scenario.heals_within)
        return Evidence(
            notes=self._notes(),
            rows=self._rows(),
            unsound={name: tuple(party.unsound) for name, party in self._all.items()},
            healed_at=healed_at,
            recovery=time.monotonic() - healed,
        )

    def _is_well(self, healed_at: float) -> bool:
        """True if every run that had begun before has ended, and each task has done its work since."""
        rows = self._rows()
        has_ended = all(row.status != "running" for row in rows if row.started_at < healed_at)
        fresh = {row.task for row in rows if row.status == "succeeded" and row.started_at > healed_at}
        return has_ended and fresh == {row.task for row in rows}

    @contextmanager
    def _parties(self) -> Iterator[None]:
        with ExitStack() as stack:
            self._all = {name: self._party(name, stack) for name in (*REPLICAS, *WORKERS)}
            yield

    def _party(self, name: str, stack: ExitStack) -> Party:
        assert self._database.server
        proxy = stack.enter_context(TcpProxy(self._database.server.port))
        words = (*WORKER.split(), "--hostname", f"{name}@here")
        kind = replace(DAPHNE, name=name) if name in REPLICAS else ServerKind(name=name, arguments=words)
        environment = self._environment(proxy.port) | {"CHORES_PROCESS": name}
        server = Server(kind, folder=self._folder, project=PROJECT, environment=environment, dev=False)
        party = Party(name, server, proxy)
        stack.callback(party.kill)
        return party

    def _environment(self, database_port: int | None) -> dict[str, str]:
        options = {"app": "celery_app.app", "queue": "errands", "beat": BEAT}
        settings = {"LEASE_SECONDS": LEASE, "SHUTDOWN_GRACE": 3, "EXECUTORS": {"celery": {"OPTIONS": options}}}
        return {
            "DATABASE_URL": self._database.url(database_port),
            "DJANGO_SETTINGS_MODULE": "settings",
            "ERRANDS_APPS": "chores",
            "ERRANDS_ENABLED": "0",  # they are due at every full hour
            "ERRANDS_ASYNCSCHED": json.dumps(settings),
            "ERRANDS_BROKER": self._broker.url,
            "ERRANDS_FOLDER": str(self._folder),
        }

    def _manage(self, *arguments: str) -> None:
        paths = os.pathsep.join([str(PROJECT), str(ROOT / "backend")])
        environment = os.environ | {"PYTHONPATH": paths, "SECRET_KEY": "for tests only"} | self._environment(None)
        subprocess.run(
            [sys.executable, str(PROJECT / "manage.py"), *arguments], env=environment, check=True, timeout=60
        )

    def _do(self, act: Act) -> None:
        if act.kind is Kind.BROKER:
            self._restart_broker(after=act.length)
            return
        party = self._all[self._leader() if act.who == LEADER else act.who]
        if party.is_disturbed or party.has_ended:
            return
        self._say(f"{party.name}/{party.pid}: {act.kind}, {act.length:.1f} s")
        party.begin(act.kind, self._rng)
        self._at(time.monotonic() + act.length, partial(self._end, party))

    def _end(self, party: Party) -> None:
        if party.end():
            self._say(f"{party.name}/{party.pid}: goes on")
        else:
            self._at(time.monotonic() + TICK, partial(self._end, party))

    def _restart_broker(self, *, after: float) -> None:
        if self._broker_is_up:
            self._say(f"{Kind.BROKER}, after {after:.1f} s")
            self._broker_is_up = False
            self._broker.stop()
            self._at(time.monotonic() + after, self._start_broker)

    def _start_broker(self) -> None:
        """Workers that it was taken from may hang, so who operates them starts them again, one after the other."""
        self._broker.start()
        self._broker_is_up = True
        self._say("broker: goes on")
        for number, name in enumerate(WORKERS):
            self._at(time.monotonic() + number, partial(self._do, Act(at=0, kind=Kind.TERM, who=name, length=0.1)))

    def _leader(self) -> str:
        with suppress(*database.UNREACHABLE):
            _, pid = database.lease(self._database) or (0, None)
            return next((name for name in REPLICAS if self._all[name].pid == pid), REPLICAS[0])
        return REPLICAS[0]

    def _advance(self, is_over: Callable[[], bool], *, within: float) -> None:
        """Do what is planned, and start what ends by itself, until *is_over*, or so many seconds have passed."""
        deadline = time.monotonic() + within
        while not is_over() and time.monotonic() < deadline:
            while self._pending and self._pending[0][0] <= time.monotonic():
                heapq.heappop(self._pending)[2]()
            for party in self._all.values():
                if party.restart_if_ended():
                    self._say(f"{party.name}: had ended by itself, started again")
            time.sleep(TICK)

    def _at(self, moment: float, work: Callable[[], None]) -> None:
        heapq.heappush(self._pending, (moment, next(self._ties), work))

    def _say(self, deed: str) -> None:
        self.deeds.append(f"{time.monotonic() - self._began:8.2f} {deed}")

    def _notes(self) -> tuple[Note, ...]:
        return tuple(
            Note(
                run_id=line["run"],
                event=line["event"],
                at=line["at"],
                process=line["process"],
                task=line["task"],
                due=line["due"],
                attempt=line["attempt"],
                worker=line["worker"],
                told_to_stop=line.get("told_to_stop", False),
            )
            for line in notes.all_in(self._folder)
        )

    def _rows(self) -> tuple[Row, ...]:
        return tuple(
            Row(
                run_id=run_id.hex,
                task=task,
                due=due.isoformat(),
                attempt=attempt,
                status=status,
                error=error,
                started_at=float(started_at),
            )
            for run_id, task, due, attempt, status, error, started_at in self._database.query(ROWS)
            if task in CHORES
        )
