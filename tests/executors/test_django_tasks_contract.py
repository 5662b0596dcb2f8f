"""Runs that are enqueued as Django's tasks keep the contract, with real workers of the database backend."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.executors.contract import Contract
from tests.executors.django_tasks_site import DjangoTasksSite, tasks_in_settings
from tests.executors.stage import Stage

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def site(folder: Path, shared_database: str) -> Iterator[DjangoTasksSite]:
    site = DjangoTasksSite(folder=folder, database_url=shared_database)
    with tasks_in_settings(), ExitStack() as workers:
        for _ in range(2):
            workers.enter_context(site.worker())
        yield site


@pytest.fixture
async def stage(site: DjangoTasksSite) -> AsyncIterator[Stage]:
    stage = site.stage(beat=1.0)
    yield stage
    await stage.close()


class TestDjangoTasks(Contract):
    """See ``contract``."""
