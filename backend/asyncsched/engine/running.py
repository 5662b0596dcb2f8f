"""What is running in this process, and how far it is.

A function may report its progress thousands of times a second, from a thread. Listeners are told on
the loop, of each run at most every PERIOD seconds; the last report comes before the run's end.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncsched.engine.context import Run
from asyncsched.engine.ports import Listener
from asyncsched.engine.runs import Claim, RunResult

PERIOD = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningRun:
    """A run that is going on. *done* is None as long as it has not said how far it is, *total* if it does not say."""

    claim: Claim
    started_at: datetime
    done: int | None = None
    total: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what ``tasks.json`` and the messages of ``/ws/runs/`` say of it."""
        occurrence = self.claim.occurrence
        return {
            "id": self.claim.run_id,
            "task": occurrence.task,
            "scheduled_for": occurrence.scheduled_for.isoformat(),
            "trigger": occurrence.trigger.value,
            "attempt": occurrence.attempt,
            "started_at": self.started_at.isoformat(),
            "done": self.done,
            "total": self.total,
        }


class Running(Listener):
    """Knows the runs that are going on, and tells *listener* of their progress. It has to hear of an end first."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._going: dict[str, _Going] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def __len__(self) -> int:
        return len(self._going)

    def runs(self) -> tuple[RunningRun, ...]:
        """Return them as they stand now, the oldest first. From any thread."""
        return tuple(going.view() for going in tuple(self._going.values()))

    def reported(self, run: Run) -> None:
        """*run* has said how far it is, in whatever thread. Of one that has ended nothing more is told."""
        going = self._going.get(run.id)
        if going is not None:
            going.reported(run)

    def run_started(self, claim: Claim, started_at: datetime) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        self._going[claim.run_id] = _Going(claim, started_at, self._listener, self._loop)

    def run_finished(self, result: RunResult) -> None:
        going = self._going.pop(result.claim.run_id, None)
        if going is not None:
            going.end()

    def run_left(self, claim: Claim) -> None:
        going = self._going.pop(claim.run_id, None)
        if going is not None:
            going.end()


class _Going:
    """One run. All but ``reported`` belongs to the loop."""

    __slots__ = ("_claim", "_has_ended", "_is_noted", "_listener", "_loop", "_run", "_started_at", "_timer", "_told")

    def __init__(self, claim: Claim, started_at: datetime, listener: Listener, loop: asyncio.AbstractEventLoop) -> None:
        self._claim = claim
        self._started_at = started_at
        self._listener = listener
        self._loop = loop
        self._run: Run | None = None
        self._told: object = None
        self._is_noted = False  # the loop will look at what is reported now
        self._timer: asyncio.TimerHandle | None = None
        self._has_ended = False

    def view(self) -> RunningRun:
        done, total = self._run.done_of_total if self._run else (None, None)
        return RunningRun(claim=self._claim, started_at=self._started_at, done=done, total=total)

    def reported(self, run: Run) -> None:
        self._run = run
        if not self._is_noted:
            self._is_noted = True
            with suppress(RuntimeError):  # the loop is closed: a thread was left behind
                self._loop.call_soon_threadsafe(self._begin)

    def end(self) -> None:
        self._has_ended = True
        if self._timer is not None:
            self._timer.cancel()
        self._tell()

    def _begin(self) -> None:
        if self._timer is None and not self._has_ended:
            self._tell()
            self._timer = self._loop.call_later(PERIOD, self._rest_is_over)

    def _rest_is_over(self) -> None:
        self._timer = None
        self._is_noted = False  # first: what is reported while we look is told of by itself
        if self._is_news():
            self._is_noted = True
            self._begin()

    def _is_news(self) -> bool:
        return self._run is not None and self._run.done_of_total != self._told

    def _tell(self) -> None:
        if self._run is not None and self._is_news():
            self._told = self._run.done_of_total
            self._listener.run_progressed(self._run)
