"""A task without a scheduler: events go through the state machine one by one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from asyncsched import Every
from asyncsched.engine import events, machine, usual
from asyncsched.engine.progress import Plan, Progress, State, state_of
from asyncsched.engine.runs import Claim, Occurrence, RunResult, RunStatus, Skipped, SkipReason
from asyncsched.registry import Task
from tests.engine.conftest import make_task

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def asked(seconds: float) -> events.Asked:
    """Somebody asks for a run at that time, and it is heard at once."""
    return events.Asked(at=at(seconds), now=at(seconds))


class Driven:
    """A task whose events are put through the machine one by one."""

    def __init__(self, schedule: Any = Every(10), *, cursor: datetime | None = None, **options: Any) -> None:
        self.task: Task = make_task(schedule=schedule, **options)
        self.progress: Progress = machine.begin(self.task, cursor, START)
        self.running: list[Occurrence] = []

    @property
    def state(self) -> State:
        return state_of(self.task, self.progress)

    def on(self, event: events.Event) -> Plan:
        plan = machine.transition(self.task, self.progress, event)
        if isinstance(event, events.Looked):
            self._check_the_usual(event, plan)
        self.progress = plan.progress
        return plan

    def _check_the_usual(self, looked: events.Looked, plan: Plan) -> None:
        """Whenever the machine has a shorter way, it leads to the same."""
        short = usual.usual(self.task, self.progress, looked.now)
        if short is not None and plan.run is not None:
            for event in (events.Claiming(), events.Granted(now=looked.now)):
                plan = replace(plan, progress=machine.transition(self.task, plan.progress, event).progress)
        assert short is None or short == plan

    def look(self, seconds: float) -> Plan:
        """Look at that time, and again for as long as the machine wants it at once."""
        skipped: tuple[Skipped, ...] = ()
        while True:
            plan = self.on(events.Looked(now=at(seconds)))
            skipped += plan.skipped
            if plan.run or plan.wake_at is None or plan.wake_at > at(seconds):
                return replace(plan, skipped=skipped)

    def start(self, seconds: float) -> Occurrence:
        """Look at that time, and begin the run that is due."""
        run = self.look(seconds).run
        assert run is not None
        self.on(events.Claiming())
        self.on(events.Granted(now=at(seconds)))
        self.running.append(run)
        return run

    def end(self, seconds: float, status: RunStatus = RunStatus.SUCCEEDED) -> None:
        run = self.running.pop(0)
        result = RunResult(
            claim=Claim(run_id="1", occurrence=run),
            status=status,
            started_at=START,
            finished_at=START,
            duration=0,
        )
        self.on(events.Finished(result=result, now=at(seconds)))

    def fail(self, start: float, end: float) -> None:
        self.start(start)
        self.end(end, RunStatus.FAILED)


def reasons(plan: Plan) -> list[tuple[SkipReason, int]]:
    return [(skipped.reason, skipped.count) for skipped in plan.skipped]


def scheduled(seconds: float, **differences: Any) -> Occurrence:
    return Occurrence(task="task", scheduled_for=at(seconds), **differences)
