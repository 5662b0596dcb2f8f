import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from asyncsched import policy
from asyncsched.engine.executor import LocalExecutor
from asyncsched.engine.keeper import Intensity
from asyncsched.engine.ports import Listener
from asyncsched.engine.supervisor import Supervisor
from asyncsched.registry import Service, Task
from asyncsched.schedules import Every, Schedule
from asyncsched.testing import MemoryStore, RecordingListener, VirtualClock


@pytest.fixture
async def nothing_without_an_owner() -> AsyncIterator[None]:
    """Fail the test if it loses a coroutine or an exception, or leaves an asyncio task behind."""
    lost: list[str] = []
    before = asyncio.all_tasks()
    gc.freeze()  # only what comes from now on is looked through in the end
    asyncio.get_running_loop().set_exception_handler(lambda _, context: lost.append(str(context)))
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    gc.collect()  # what nobody holds tells of itself when it goes
    gc.unfreeze()
    assert (left, lost) == (set(), [])


async def do_nothing() -> None: ...


def make_task(
    function: Callable[[], Any] = do_nothing,
    schedule: Schedule = Every(2),
    *,
    name: str = "task",
    is_async: bool = True,
    **options: Any,
) -> Task:
    options.setdefault("catch_up", policy.default_catch_up(schedule))
    return Task(name=name, function=function, schedule=schedule, options=policy.Options(**options), is_async=is_async)


class Scheduler:
    """A whole scheduler in virtual time, with a memory store and a recording listener."""

    def __init__(
        self,
        *tasks: Task,
        services: tuple[Service, ...] = (),
        store: Any = None,
        threads: int = 4,
        listeners: tuple[Listener, ...] = (),
    ) -> None:
        self.clock = VirtualClock()
        self.store = store or MemoryStore()
        self.listener = RecordingListener()
        self.supervisor = Supervisor(
            tasks,
            services,
            clock=self.clock,
            store=self.store,
            executor=LocalExecutor(threads),
            listeners=(self.listener, *listeners),
            intensity=Intensity(restarts=3, seconds=60),
        )

    async def __aenter__(self) -> "Scheduler":
        await self.supervisor.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.supervisor.drain(grace=1.0)

    def runs(self, name: str = "task") -> list[Any]:
        return [result for result in self.listener.finished if result.task == name]
