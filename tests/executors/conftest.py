"""A database that this process shares with workers, and the folder in which runs note what they did."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from asyncsched.registry import Registry
from tests.executors.stage import Stage
from tests.storage.conftest import empty_tables
from tests.support.databases import default_database
from tests.support.servers import Server
from tests.support.valkey import Valkey, running_valkey

PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder for the notes of the runs of one module of tests."""
    folder = tmp_path_factory.mktemp("errands")
    before = os.environ.get("ERRANDS_FOLDER")
    os.environ["ERRANDS_FOLDER"] = str(folder)
    yield folder
    if before is None:
        del os.environ["ERRANDS_FOLDER"]
    else:
        os.environ["ERRANDS_FOLDER"] = before


@pytest.fixture(scope="module")
def shared_database(folder: Path, django_db_blocker: Any) -> Iterator[str]:
    """The address of a database with the scheduler's tables, which is the default one while the module's tests run."""
    from django.core.management import call_command

    url = f"sqlite:///{folder / 'db.sqlite3'}"
    options = {"init_command": PRAGMAS, "transaction_mode": "IMMEDIATE", "timeout": 5}
    with django_db_blocker.unblock(), default_database(url, migrate=False, **options):
        call_command("migrate", "asyncsched", verbosity=0)
        yield url


@pytest.fixture(scope="module")
def broker() -> Iterator[Valkey]:
    """A broker, and result backend, that is running."""
    with running_valkey() as valkey:
        yield valkey


@pytest.fixture(scope="module")
def celery_site(broker: Valkey, folder: Path, shared_database: str) -> Any:
    """What a module of tests, workers and servers share."""
    from tests.executors.celery_site import CelerySite

    return CelerySite(valkey=broker, folder=folder, database_url=shared_database)


@pytest.fixture(scope="module")
def celery_worker(celery_site: Any) -> Iterator[Server]:
    """A worker with two processes, for the queue ``errands``."""
    with celery_site.worker() as worker:
        yield worker


@pytest.fixture
async def celery_stage(celery_site: Any, celery_worker: Server) -> AsyncIterator[Stage]:
    """A stage that sends to the worker."""
    stage = celery_site.stage(beat=1.0)
    yield stage
    await stage.close()


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The tasks that a worker in this process knows: none, until a test adds some."""
    registry = Registry()
    monkeypatch.setattr("asyncsched.executors.order.registry", registry)
    return registry


@pytest.fixture
def nothing_left(shared_database: str) -> Iterator[None]:
    """No test meets a run of another."""
    yield
    empty_tables()
