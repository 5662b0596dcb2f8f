"""A listener that remembers."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from asyncsched.engine.context import Run
from asyncsched.engine.ports import Listener
from asyncsched.engine.runs import Claim, RunResult, Skipped


class RecordingListener(Listener):
    """Remembers everything it is told, in order."""

    def __init__(self) -> None:
        self.started: list[Claim] = []
        self.finished: list[RunResult] = []
        self.skipped: list[Skipped] = []
        self.progressed: list[tuple[str, int, int | None]] = []
        """The task's name, and how far its run was: ``done`` of ``total``."""
        self.requests_changes = 0
        self.restarts: list[tuple[str, BaseException | None, float]] = []
        self._news = asyncio.Event()

    async def wait_for(self, condition: Callable[["RecordingListener"], bool], within: float = 60.0) -> None:
        """Return once *condition* of this listener holds; raise TimeoutError after *within* seconds of loop time."""
        async with asyncio.timeout(within):
            while not condition(self):
                self._news.clear()
                await self._news.wait()

    def run_started(self, claim: Claim, started_at: datetime) -> None:
        self.started.append(claim)
        self._news.set()

    def run_progressed(self, run: Run) -> None:
        self.progressed.append((run.task, *run.done_of_total))
        self._news.set()

    def run_finished(self, result: RunResult) -> None:
        self.finished.append(result)
        self._news.set()

    def occurrences_skipped(self, skipped: Skipped) -> None:
        self.skipped.append(skipped)
        self._news.set()

    def requests_changed(self) -> None:
        self.requests_changes += 1
        self._news.set()

    def restarted(self, name: str, error: BaseException | None, delay: float) -> None:
        self.restarts.append((name, error, delay))
        self._news.set()
