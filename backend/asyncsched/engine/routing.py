"""Each task's runs go to the executor that it names."""

from collections.abc import Mapping
from typing import Any

from asyncsched.engine.context import Run
from asyncsched.engine.ports import Executor
from asyncsched.policy import LOCAL
from asyncsched.registry import Task


class RoutingExecutor:
    """Runs a task by *local*, or hands it to the one of *others* whose name it gives."""

    def __init__(self, local: Executor, others: Mapping[str, Executor]) -> None:
        self._executors = {**others, LOCAL: local}

    async def execute(self, task: Task, run: Run) -> Any:
        return await self._executors[task.options.executor].execute(task, run)

    async def close(self, patience: float) -> None:
        for executor in self._executors.values():
            await executor.close(patience)
