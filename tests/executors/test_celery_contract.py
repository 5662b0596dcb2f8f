"""Runs that go to a real Celery worker, by way of a real broker, keep the contract."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from asyncsched.engine.runs import RunStatus
from tests.executors.celery_site import CelerySite
from tests.executors.contract import Contract
from tests.executors.stage import Stage
from tests.support.valkey import running_valkey

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def site(folder: Path, shared_database: str) -> Iterator[CelerySite]:
    with running_valkey() as valkey:
        site = CelerySite(valkey=valkey, folder=folder, database_url=shared_database)
        with site.worker():
            yield site


@pytest.fixture
async def stage(site: CelerySite) -> AsyncIterator[Stage]:
    stage = site.stage(beat=1.0)
    yield stage
    await stage.close()


class TestCelery(Contract):
    """See ``contract``."""

    async def test_a_task_that_the_worker_does_not_know_fails_and_the_error_says_so(self, stage: Stage) -> None:
        result = await stage.run("brand_new")
        assert result.status is RunStatus.FAILED
        assert result.error and "the worker's code is another: unknown task 'brand_new'" in result.error
