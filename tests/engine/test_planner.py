"""The rules as a state machine: whatever happens, in whatever order, these hold."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from asyncsched import CatchUp, Every, Overlap, Retry
from asyncsched.engine import planner
from asyncsched.engine.runs import Claim, Occurrence, RunResult, RunStatus, Skipped
from tests.engine.conftest import make_task

START = datetime(2026, 1, 1, tzinfo=UTC)
STEPS = st.floats(min_value=0.001, max_value=40)


class OneTask(RuleBasedStateMachine):
    """Drives the planner as ``ScheduleLoop`` does, with time, outcomes and interventions at random."""

    @initialize(
        overlap=st.sampled_from(Overlap),
        catch_up=st.sampled_from(CatchUp),
        attempts=st.integers(1, 3),
        suspend_after=st.one_of(st.none(), st.integers(1, 4)),
        jitter=st.sampled_from([0.0, 0.9, 2.4]),
    )
    def begin(self, overlap: Any, catch_up: Any, attempts: int, suspend_after: int | None, jitter: float) -> None:
        self.task = make_task(
            schedule=Every(5, jitter=jitter),
            overlap=overlap,
            catch_up=catch_up,
            concurrency=3,
            retry=Retry(attempts=attempts, delay=1),
            suspend_after=suspend_after,
            suspend_for=20,
        )
        self.now = START
        self.progress = planner.begin(self.task, None, self.now, failures=0, paused=False)
        self.running: list[tuple[Occurrence, datetime]] = []
        self.ran: list[Occurrence] = []
        self.skipped: list[Skipped] = []
        self.most_at_once = 0

    @rule(seconds=STEPS)
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    @precondition(lambda self: self.can_plan())
    def look(self) -> None:
        for _ in range(2_000):
            plan = planner.plan(self.task, self.progress, self.now)
            self.adopt(plan)
            if plan.run is not None:
                self.start(plan.run)
                if not self.can_plan():
                    return
            elif plan.wake_at is None or plan.wake_at > self.now:
                return
        raise AssertionError("the planner does not come to rest")

    @rule(index=st.integers(0, 5), status=st.sampled_from([RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.TIMED_OUT]))
    @precondition(lambda self: self.running)
    def a_run_ends(self, index: int, status: RunStatus) -> None:
        occurrence, started_at = self.running.pop(index % len(self.running))
        claim = Claim(run_id="x", occurrence=occurrence)
        result = RunResult(claim=claim, status=status, started_at=started_at, finished_at=self.now, duration=0.0)
        self.progress = planner.finished(self.task, self.progress, result)

    @rule()
    @precondition(lambda self: self.running)
    def the_claim_is_lost(self) -> None:
        self.running.pop()
        self.progress = planner.refused(self.progress)

    @rule()
    @precondition(lambda self: self.running)
    def the_store_cannot_tell(self) -> None:
        occurrence, _ = self.running.pop()
        self.ran.remove(occurrence)
        self.adopt(planner.undecided(self.progress, occurrence, self.now))

    @rule(value=st.booleans())
    def somebody_pauses_or_resumes(self, value: bool) -> None:
        if value != self.progress.paused:
            self.adopt(planner.paused(self.task, self.progress, self.now, value=value))

    def can_plan(self) -> bool:
        """The loop plans only when no run is going on, unless runs may go on side by side."""
        return not self.running or self.task.options.overlap is Overlap.ALLOW

    def adopt(self, plan: planner.Plan) -> None:
        assert plan.progress.cursor >= self.progress.cursor, "what is settled stays settled"
        self.progress = plan.progress
        self.skipped.extend(plan.skipped)

    def start(self, occurrence: Occurrence) -> None:
        assert not self.progress.paused
        assert self.progress.suspended_until is None
        assert planner.due_at(self.task, occurrence.scheduled_for) <= self.now, "nothing runs before it is due"
        assert occurrence not in self.ran, "no attempt runs twice"
        self.ran.append(occurrence)
        self.running.append((occurrence, self.now))
        self.progress = planner.started(self.progress, occurrence)
        self.most_at_once = max(self.most_at_once, len(self.running))

    @invariant()
    def no_more_runs_at_once_than_allowed(self) -> None:
        if hasattr(self, "task"):
            allowed = self.task.options.concurrency if self.task.options.overlap is Overlap.ALLOW else 1
            assert self.most_at_once <= allowed
            assert self.progress.running == len(self.running)

    @invariant()
    def every_occurrence_up_to_the_cursor_has_run_or_has_a_reason(self) -> None:
        if hasattr(self, "task"):
            settled = self.task.schedule.count_between(START, self.progress.cursor, limit=10**9)
            ran = {occurrence.scheduled_for for occurrence in self.ran}
            pending = {self.progress.pending.scheduled_for} if self.progress.pending else set()
            accounted = len(ran | pending) + sum(skip.count for skip in self.skipped)
            assert accounted == settled, f"{settled} settled, {accounted} accounted for"

    @invariant()
    def occurrences_start_in_order(self) -> None:
        if hasattr(self, "task") and self.task.options.overlap is not Overlap.ALLOW:
            firsts = [occurrence.scheduled_for for occurrence in self.ran if occurrence.attempt == 1]
            assert firsts == sorted(firsts)


TestOneTask = OneTask.TestCase
