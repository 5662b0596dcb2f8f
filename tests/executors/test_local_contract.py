"""The executor that runs tasks in the scheduler's own process keeps the contract, put together as a server does."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from asyncsched import conf
from asyncsched.policy import LOCAL
from asyncsched.server import compose
from asyncsched.testing import MemoryStore
from tests.executors.contract import Contract
from tests.executors.stage import Stage


@pytest.fixture
async def stage(folder: Path, shared_database: str) -> AsyncIterator[Stage]:
    stage = Stage(executor=compose.executor(conf.Settings(), (), ""), store=MemoryStore(), called=LOCAL)
    yield stage
    await stage.close()


class TestLocal(Contract):
    """See ``contract``."""
