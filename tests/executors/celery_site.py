"""Celery for tests: a Valkey as broker and result backend, and workers of the project as processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from celery import Celery
from redis import Redis

from asyncsched.executors.celery import CeleryExecutor
from asyncsched.executors.configured import Setup
from asyncsched.storage.store import DjangoStore
from tests.executors.stage import PROJECT, Stage
from tests.support.servers import Kind, Server
from tests.support.valkey import Valkey

QUICK = "--without-gossip --without-mingle --without-heartbeat"


def worker_kind(*, queue: str, processes: int) -> Kind:
    """Return how a worker is started that listens to *queue*, with so many *processes*."""
    options = f"--loglevel INFO --concurrency {processes} --queues {queue} --hostname {queue}@here {QUICK}"
    arguments = ("-m", "celery", "--app", "celery_app", "worker", *options.split())
    return Kind(name=f"worker {queue}", arguments=arguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class CelerySite:
    """What the test, its workers and its servers share."""

    valkey: Valkey
    folder: Path
    database_url: str

    @property
    def environment(self) -> dict[str, str]:
        """What every process of the site is to have in its environment."""
        return {
            "DATABASE_URL": self.database_url,
            "ERRANDS_BROKER": self.valkey.url,
            "ERRANDS_EXECUTOR": "celery",
            "ERRANDS_FOLDER": str(self.folder),
            "DJANGO_SETTINGS_MODULE": "settings",
        }

    @property
    def broker(self) -> Redis:
        """A client of the broker, which is the result backend as well."""
        return Redis(port=self.valkey.port)

    def waiting(self, queue: str) -> int:
        """Return how many messages wait in *queue*."""
        with self.broker as broker:
            return int(broker.llen(queue))

    def let_worker_listen_to(self, queue: str) -> bool:
        """Let the worker take messages from *queue* as well; return False if it does not hear of it."""
        app = Celery("somebody", broker=self.valkey.url, set_as_current=False, fixups=[])
        return bool(app.control.add_consumer(queue, reply=True, destination=["errands@here"]))

    @contextmanager
    def worker(self, *, queue: str = "errands", processes: int = 2) -> Iterator[Server]:
        """Start a worker for *queue*; kill it at the end, with all it has started."""
        kind = worker_kind(queue=queue, processes=processes)
        with Server(kind, folder=self.folder, project=PROJECT, environment=self.environment, dev=False) as worker:
            worker.wait_until_logged(" ready.")
            yield worker

    def stage(self, *, queue: str = "errands", **options: Any) -> Stage:
        """Return a stage with an executor that sends to *queue*."""
        app = Celery("leader", broker=self.valkey.url, backend=self.valkey.url, set_as_current=False, fixups=[])
        store = DjangoStore(now=lambda: datetime.now(UTC))
        setup = Setup(
            name="celery", replica=store.replica, log_lines=200, options={"app": app, "queue": queue, **options}
        )
        return Stage(executor=CeleryExecutor(setup), store=store)
