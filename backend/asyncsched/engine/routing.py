"""Each task's runs go to the executor that it names."""

from collections.abc import Collection, Coroutine, Mapping
from typing import Any

from asyncsched.engine.context import Run
from asyncsched.engine.ports import Executor
from asyncsched.policy import LOCAL
from asyncsched.registry import Task


class RoutingExecutor:
    """Runs a task by *local*, or hands it to the one of *others* whose name it gives.

    A run that was handed off by an earlier version of the code, to an executor of which the task knows
    no more, is *former*'s to wait for; *outliving* are the names of those whose runs are taken over.
    """

    def __init__(
        self, local: Executor, others: Mapping[str, Executor], *, former: Executor, outliving: Collection[str]
    ) -> None:
        self._executors = {**others, LOCAL: local}
        self._former = former
        self._outliving = outliving

    def execute(self, task: Task, run: Run) -> Coroutine[Any, Any, Any]:
        name = task.options.executor
        is_former = run.began_at is not None and name not in self._outliving
        return (self._former if is_former else self._executors[name]).execute(task, run)

    async def close(self, patience: float) -> None:
        for executor in (*self._executors.values(), self._former):
            await executor.close(patience)
