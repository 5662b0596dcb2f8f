"""Runs in processes of this machine keep the contract."""

from collections.abc import AsyncIterator, Iterator

import pytest

from asyncsched.executors.configured import Setup
from asyncsched.executors.processes import ProcessExecutor
from asyncsched.testing import MemoryStore
from tests.executors.contract import Contract
from tests.executors.stage import PROJECT, Stage

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def environment(shared_database: str) -> Iterator[None]:
    """Let processes find the project, as those of a server do that serves it."""
    with pytest.MonkeyPatch.context() as here:
        here.syspath_prepend(PROJECT)
        here.setenv("DJANGO_SETTINGS_MODULE", "settings")
        here.setenv("DATABASE_URL", shared_database)
        yield


@pytest.fixture
async def stage(environment: None) -> AsyncIterator[Stage]:
    setup = Setup(name="processes", replica="", log_lines=200, options={"max_workers": 2})
    stage = Stage(executor=ProcessExecutor(setup), store=MemoryStore())
    yield stage
    await stage.close()


class TestProcesses(Contract):
    """See ``contract``."""
