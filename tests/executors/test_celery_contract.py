"""Runs that go to a real Celery worker, by way of a real broker, keep the contract."""

import pytest

from asyncsched.engine.runs import RunStatus
from tests.executors.contract import Contract
from tests.executors.stage import Stage


class TestCelery(Contract):
    """See ``contract``."""

    @pytest.fixture
    def stage(self, celery_stage: Stage) -> Stage:
        return celery_stage

    async def test_a_task_that_the_worker_does_not_know_fails_and_the_error_says_so(self, stage: Stage) -> None:
        result = await stage.run("brand_new")
        assert result.status is RunStatus.FAILED
        assert "the worker's code is another: unknown task 'brand_new'" in str(result.error)
