"""The engine's Store port, kept with Django's ORM."""

import logging
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from django.db import connection

from asyncsched.engine.ports import Remembered, Requests
from asyncsched.engine.runs import Claim, Occurrence, Refusal, RunResult, Settled, Skipped, Trigger, new_run_id
from asyncsched.errors import ConfigurationError
from asyncsched.models import HandOff, Lease, LoopStall, Replica, TaskRun, TaskSkip, TaskState, Term
from asyncsched.policy import LOCAL, CatchUp
from asyncsched.registry import Task
from asyncsched.storage import claims, handoffs, requests
from asyncsched.storage.request_watch import RequestWatch
from asyncsched.storage.thread import DatabaseThread
from asyncsched.storage.writer import SLOW_RUN, Writer

logger = logging.getLogger("asyncsched.storage")


class DjangoStore:
    """History, claims and pauses in the project's database, by way of one thread."""

    def __init__(
        self, *, now: Callable[[], datetime], history: timedelta | None = None, slow_run: float = SLOW_RUN
    ) -> None:
        # The uuid, not host or pid, is the process's identity: those come back after a restart.
        self.replica = f"{socket.gethostname()[:80]}:{os.getpid()}:{uuid.uuid4().hex}"
        self._now = now
        self._history = history
        self._tasks: dict[str, Task] = {}
        self._writer = Writer(replica=self.replica, now=now, slow_run=slow_run)
        self._watch = RequestWatch(self._writer.contact.answered)
        self._thread = DatabaseThread(self._writer, self._watch)

    async def load(self, tasks: Iterable[Task]) -> Mapping[str, Remembered]:
        self._tasks.update((task.name, task) for task in tasks)
        return await self._thread.call(self._load)

    async def claim(
        self, task: Task, occurrence: Occurrence, *, term: int | None = None, force: bool = False
    ) -> Claim | Refusal:
        self._tasks.setdefault(task.name, task)
        if not task.is_claimed and occurrence.trigger is Trigger.SCHEDULE:
            return Claim(run_id=new_run_id(), occurrence=occurrence, term=term)
        return await self._thread.call(
            lambda: self._claim(task, occurrence, term=term, force=force), undo=self._withdraw
        )

    async def claim_asked(self, task: Task, occurrence: Occurrence, *, term: int | None = None) -> Claim | Refusal:
        self._tasks.setdefault(task.name, task)
        return await self._thread.call(
            lambda: self._claim(task, occurrence, term=term, is_asked=True),
            undo=lambda answer: self._withdraw(answer, is_asked=True),
        )

    def expire(self, task: str, asked_at: datetime) -> None:
        self._thread.do(lambda: requests.expire(task, asked_at))

    def release(self, claim: Claim) -> None:
        self._thread.do(lambda: self._withdraw(claim))

    def record(self, result: RunResult) -> None:
        if self._writer.add(self._tasks[result.task], result):
            self._thread.poke()

    def settle(self, settled: Settled) -> None:
        task = self._tasks[settled.task]
        # Without catch-up nobody will ask how far it came.
        if task.options.catch_up is not CatchUp.NONE and self._writer.add(task, settled):
            self._thread.poke()

    def skip(self, skipped: Skipped) -> None:
        task = self._tasks.get(skipped.task)
        if self._writer.skip(task, skipped):
            self._thread.poke()
        if task is not None and skipped.reason.settles:
            self.settle(Settled(task=skipped.task, until=skipped.scheduled_for))

    async def next_requests(self) -> Requests:
        return await self._watch.next(self._thread)

    async def abandoned(self) -> Sequence[Occurrence]:
        tasks = [task for task in self._tasks.values() if task.options.rerun_abandoned]
        return await self._thread.call(lambda: claims.abandoned(tasks, self._now()))

    async def take_over(self, *, term: int | None = None) -> Sequence[Claim]:
        if not self._watch.tells_always:
            return ()
        return await self._thread.call(lambda: self._take_over(term), undo=self._leave_again)

    def leave(self, claim: Claim) -> None:
        self._thread.do(lambda: self._writer.forget(claim.run_id))

    async def close(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        if not await self._thread.stop(lambda: self._writer.finish(deadline), patience):
            logger.error(
                "the database did not answer within the last %.1f s: what was not written yet is lost", patience
            )

    def _claim(
        self, task: Task, occurrence: Occurrence, *, term: int | None, force: bool = False, is_asked: bool = False
    ) -> Claim | Refusal:
        self._writer.write_outcomes(task.name)  # a run that has just ended must not count as running
        claim = claims.claim_asked if is_asked else partial(claims.claim, force=force)
        answer = claim(
            task,
            occurrence,
            replica=self.replica,
            now=self._now(),
            term=term,
            knows_dead=self._writer.contact.is_steady,
        )
        if isinstance(answer, Claim):
            self._writer.runs(answer.run_id)
        return answer

    def _take_over(self, term: int | None) -> Sequence[Claim]:
        taken = handoffs.take_over(
            list(self._tasks),
            owner=self.replica,
            now=self._now(),
            term=term,
            knows_dead=self._writer.contact.is_steady,
            attended=self._writer.running,
        )
        for claim in taken:
            self._writer.runs(claim.run_id)
        return taken

    def _leave_again(self, taken: Sequence[Claim]) -> None:
        """Nobody has heard of it."""
        for claim in taken:
            self._writer.forget(claim.run_id)
        handoffs.leave([claim.run_id for claim in taken], self.replica)

    def _withdraw(self, answer: Claim | Refusal, *, is_asked: bool = False) -> None:
        """Nobody waits for this claim any more: give the occurrence back."""
        if isinstance(answer, Claim):
            self._writer.forget(answer.run_id)
            (claims.withdraw_asked if is_asked else claims.withdraw)(answer)

    def _load(self) -> Mapping[str, Remembered]:
        if missing := _missing():
            raise ConfigurationError(f"the database lacks {missing}: run 'python manage.py migrate' first")
        # An earlier version may have handed off what this one does not.
        is_left = handoffs.is_any_going_on()
        self._watch.tells_always = is_left or any(_leaves_something(task) for task in self._tasks.values())
        # What is registered no more is remembered for as long as history is, and not for ever.
        since = self._now() - self._history if self._history else datetime.min.replace(tzinfo=UTC)
        states = TaskState.objects.values_list("task", "cursor", "consecutive_failures", "paused")
        return {
            name: Remembered(cursor=cursor, failures=failures, paused=paused)
            for name, cursor, failures, paused in states.iterator()  # databases do not take any number of names
            if name in self._tasks or (cursor and cursor >= since)
        }


def _leaves_something(task: Task) -> bool:
    """True if a process that dies may leave work of *task* to be taken up by another."""
    return task.options.rerun_abandoned or task.options.executor != LOCAL


def _missing() -> str | None:
    """Return which table or column the database does not have yet, None if it has all."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        for model in (TaskRun, HandOff, TaskSkip, TaskState, Lease, Replica, Term, LoopStall):
            table = model._meta.db_table
            if table not in tables:
                return f"the table {table!r}"
            columns = {column.name for column in connection.introspection.get_table_description(cursor, table)}
            for field in model._meta.local_concrete_fields:
                if field.column not in columns:
                    return f"the column {field.column!r} of the table {table!r}"
    return None
