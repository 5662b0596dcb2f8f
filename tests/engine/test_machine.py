"""The rules as a state machine: whatever happens, in whatever order, these hold."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from asyncsched import CatchUp, Every, Overlap, Retry
from asyncsched.engine import events, machine, planner
from asyncsched.engine.progress import Plan, State, state_of
from asyncsched.engine.runs import Claim, Occurrence, RunResult, RunStatus, Skipped, Trigger
from asyncsched.engine.timeline import CLOSE
from tests.engine.conftest import make_task

START = datetime(2026, 1, 1, tzinfo=UTC)
ON_START = START + timedelta(milliseconds=1)  # on nobody's grid
DAY = 86_400
CONCURRENCY = 3

short = st.floats(min_value=0.001, max_value=40)
steps = st.one_of(st.floats(-120, 120), st.sampled_from([-DAY, -3600, -600, 600, 3600, DAY]))
endings = st.sampled_from([RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.TIMED_OUT, RunStatus.CANCELLED])


class OneTask(RuleBasedStateMachine):
    """Drives the machine as ``ScheduleLoop`` does, with time, answers, outcomes and interventions at random."""

    @initialize(
        seconds=st.sampled_from([5, 7.5, 60, 90]),
        overlap=st.sampled_from(Overlap),
        catch_up=st.sampled_from(CatchUp),
        attempts=st.integers(1, 3),
        suspend_after=st.one_of(st.none(), st.integers(1, 4)),
        spread=st.sampled_from([0.0, 0.2, 0.48]),
        run_on_start=st.booleans(),
    )
    def begin(
        self,
        seconds: float,
        overlap: Any,
        catch_up: Any,
        attempts: int,
        suspend_after: int | None,
        spread: float,
        run_on_start: bool,
    ) -> None:
        self.task = make_task(
            schedule=Every(seconds, jitter=spread * seconds),
            overlap=overlap,
            catch_up=catch_up,
            concurrency=CONCURRENCY,
            retry=Retry(attempts=attempts, delay=1),
            suspend_after=suspend_after,
            suspend_for=20,
            run_on_start=run_on_start,
        )
        self.now = ON_START
        self.stepped = False
        self.progress = machine.begin(self.task, None, self.now)
        self.claiming: list[Occurrence] = []
        self.running: list[Occurrence] = []
        self.began: list[Occurrence] = []
        self.settled: list[Occurrence] = []
        self.skipped: list[Skipped] = []
        self.left: set[datetime] = set()

    def on(self, event: events.Event) -> Plan:
        plan = machine.transition(self.task, self.progress, event)
        self.progress = plan.progress
        self.skipped.extend(plan.skipped)
        return plan

    @property
    def side_by_side(self) -> bool:
        return self.task.options.overlap is Overlap.ALLOW

    # What happens.

    @rule(seconds=short)
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(seconds=steps)
    def the_clock_steps(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.stepped = True
        self.on(events.Stepped(seconds=seconds, now=self.now))

    @rule()
    def look(self) -> None:
        for _ in range(200_000):
            cursor, was_free = self.progress.cursor, self.progress.claiming + self.progress.running == 0
            held_back = self.progress.paused or self.progress.standby or self.progress.suspended_until is not None
            plan = self.on(events.Looked(now=self.now))
            assert self.progress.cursor >= cursor, "what is settled stays settled"
            if plan.run is None:
                assert plan.due_at is None
                if plan.wake_at is None or plan.wake_at > self.now:
                    return
                continue
            assert plan.due_at is not None
            assert plan.due_at <= self.now, "nothing runs before it is due"
            assert was_free or self.side_by_side, "no overlap"
            assert self.state is State.DUE or self.claiming or self.running
            if held_back:
                assert plan.run.trigger is Trigger.MANUAL, "only people may run what rests"
            self.claim(plan.run)
        raise AssertionError("the machine does not come to rest")

    def claim(self, occurrence: Occurrence) -> None:
        assert occurrence not in self.began or occurrence.trigger is Trigger.MANUAL, f"{occurrence} runs twice"
        self.began.append(occurrence)
        self.on(events.Claiming())
        self.claiming.append(occurrence)

    @rule()
    @precondition(lambda self: self.claiming)
    def the_claim_is_won(self) -> None:
        self.running.append(self.claiming.pop(0))
        self.on(events.Granted(now=self.now))

    @rule()
    @precondition(lambda self: self.claiming)
    def the_claim_is_lost(self) -> None:
        self.settled.append(self.claiming.pop())
        self.on(events.Refused())

    @rule()
    @precondition(lambda self: self.claiming)
    def the_store_cannot_tell(self) -> None:
        occurrence = self.claiming.pop()
        self.began.remove(occurrence)
        self.on(events.Undecided(occurrence=occurrence, now=self.now))

    @rule(index=st.integers(0, 5), status=endings)
    @precondition(lambda self: self.running)
    def a_run_ends(self, index: int, status: RunStatus) -> None:
        occurrence = self.running.pop(index % len(self.running))
        self.settled.append(occurrence)
        claim = Claim(run_id="x", occurrence=occurrence)
        result = RunResult(claim=claim, status=status, started_at=self.now, finished_at=self.now, duration=0.0)
        failures = self.progress.failures
        self.on(events.Finished(result=result, now=self.now))
        if status is RunStatus.SUCCEEDED:
            assert self.progress.failures == 0
        else:
            assert self.progress.failures == failures + status.is_failure

    @rule()
    def somebody_pauses(self) -> None:
        self.on(events.Paused())
        assert self.progress.paused

    @rule()
    def somebody_resumes(self) -> None:
        self.on(events.Resumed(now=self.now))
        assert self.state not in (State.PAUSED, State.SUSPENDED)

    @rule()
    def somebody_asks_for_a_run(self) -> None:
        waits = self.progress.pending
        self.on(events.Asked(at=self.now, now=self.now))
        pending = self.progress.pending
        assert pending is not None or self.claiming, "what is being claimed may be what was asked for"
        assert pending == waits or (pending and pending.trigger is Trigger.MANUAL)

    @rule()
    @precondition(lambda self: not self.claiming and not self.running)
    def what_is_asked_for_again_and_again_begins_after_one_other_run_at_most(self) -> None:
        progress, now, others = self.progress, self.now, 0
        for _ in range(200_000):
            asked = events.Asked(at=self.now, now=now)
            progress = machine.transition(self.task, progress, asked).progress
            plan = machine.transition(self.task, progress, events.Looked(now=now))
            progress = plan.progress
            if plan.run is None:
                assert plan.wake_at is not None
                assert plan.wake_at <= now + machine.CLAIM_RETRY, "it waits for nothing but what nobody could decide"
                now = max(now, plan.wake_at)
                continue
            if plan.run == Occurrence(task="task", scheduled_for=self.now, trigger=Trigger.MANUAL):
                return
            others += 1
            assert others <= 1, "it does not begin"
            for event in (events.Claiming(), events.Refused()):
                progress = machine.transition(self.task, progress, event).progress
        raise AssertionError("the machine does not come to rest")

    @rule()
    def another_process_leads(self) -> None:
        waits = self.progress.pending
        self.on(events.Followed())
        if waits and waits != self.progress.pending and waits.trigger is not Trigger.MANUAL:
            self.left.add(waits.scheduled_for)

    @rule()
    def this_process_leads(self) -> None:
        self.on(events.Led(now=self.now, cursor=self.progress.cursor, failures=self.progress.failures))
        assert self.state is not State.STANDBY

    # What holds at any time.

    @property
    def state(self) -> State:
        return state_of(self.task, self.progress)

    @invariant()
    def the_state_tells_what_goes_on(self) -> None:
        if not hasattr(self, "task"):
            return
        assert self.progress.claiming == len(self.claiming)
        assert self.progress.running == len(self.running)
        assert (self.state is State.RUNNING) == bool(self.running)
        if self.claiming and not self.running:
            assert self.state is State.CLAIMING

    @invariant()
    def no_more_runs_at_once_than_allowed(self) -> None:
        if hasattr(self, "task"):
            allowed = CONCURRENCY if self.side_by_side else 1
            assert len(self.claiming) + len(self.running) <= allowed

    @invariant()
    def every_occurrence_up_to_the_cursor_has_run_or_has_a_reason(self) -> None:
        if not hasattr(self, "task") or self.stepped:
            return
        settled = self.task.schedule.count_between(START, self.progress.cursor, limit=10**9)
        ran = {occurrence.scheduled_for for occurrence in self.began if occurrence.trigger is not Trigger.MANUAL}
        pending = self.progress.pending
        if pending is not None and pending.trigger is not Trigger.MANUAL:
            ran.add(pending.scheduled_for)
        skipped = sum(skip.count for skip in self.skipped if skip.scheduled_for != ON_START)
        assert len((ran | self.left) - {ON_START}) + skipped == settled

    @invariant()
    def occurrences_begin_in_order(self) -> None:
        if hasattr(self, "task") and not self.stepped:
            firsts = [one.scheduled_for for one in self.began if one.attempt == 1 and one.trigger is not Trigger.MANUAL]
            if not self.side_by_side:
                assert firsts == sorted(firsts)

    @invariant()
    def the_next_occurrence_of_a_subminute_task_is_never_further_away_than_its_interval(self) -> None:
        if not hasattr(self, "task") or self.task.is_claimed or self.claiming or self.running:
            return
        if self.state not in (State.WAITING, State.BACKING_OFF):
            return
        plan = machine.transition(self.task, self.progress, events.Looked(now=self.now))
        if plan.wake_at is not None:
            schedule = self.task.schedule
            longest = timedelta(seconds=schedule.seconds + 2 * schedule.jitter)  # type: ignore[attr-defined]
            assert plan.wake_at - self.now <= longest + CLOSE, "a step of the clock silences no alarm"

    @rule()
    def the_scheduler_stops_and_nothing_more_begins(self) -> None:
        stopped = machine.transition(self.task, self.progress, events.Stopped(now=self.now)).progress
        for event in (events.Asked(at=self.now, now=self.now), events.Resumed(now=self.now)):
            stopped = machine.transition(self.task, stopped, event).progress
        later = machine.transition(self.task, stopped, events.Looked(now=self.now + timedelta(days=400)))
        assert later.run is None
        assert later.wake_at is None
        if not self.claiming and not self.running:
            assert state_of(self.task, stopped) is State.STOPPED


TestOneTask = OneTask.TestCase


def test_jitter_is_the_same_everywhere_and_within_its_width() -> None:
    task = make_task(schedule=Every(10, jitter=2))
    occurrences = [START + timedelta(seconds=10 * n) for n in range(200)]
    offsets = [(planner.due_at(task, moment) - moment).total_seconds() for moment in occurrences]
    assert offsets == [(planner.due_at(task, moment) - moment).total_seconds() for moment in occurrences]
    assert all(-2 <= offset < 2 for offset in offsets)
    assert max(offsets) > 1.5
    assert min(offsets) < -1.5
