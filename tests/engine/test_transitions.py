"""What each event changes: the state machine, transition by transition."""

from datetime import datetime, timedelta

import pytest

from asyncsched import CatchUp, DailyAt, Every, Overlap, Retry
from asyncsched.engine import events, machine
from asyncsched.engine.progress import Plan, Progress, State
from asyncsched.engine.runs import Claim, RunResult, RunStatus, Skipped, SkipReason, Trigger
from tests.engine.conftest import make_task
from tests.engine.driven import START, Driven, asked, at, reasons, scheduled


class TestTheLifeOfARun:
    def test_state_by_state(self) -> None:
        driven = Driven()
        assert driven.state is State.WAITING
        assert driven.look(3).wake_at == at(10)
        plan = driven.look(10.5)
        assert (plan.run, plan.due_at, driven.state) == (scheduled(10), at(10), State.DUE)
        driven.on(events.Claiming())
        assert driven.state is State.CLAIMING
        driven.on(events.Granted(now=at(10.5)))
        assert driven.state is State.RUNNING
        driven.running.append(scheduled(10))
        driven.end(11)
        assert driven.state is State.WAITING
        assert driven.look(11).wake_at == at(20)

    def test_what_was_decided_on_stays_so_until_it_is_claimed(self) -> None:
        driven = Driven()
        driven.look(10)
        assert driven.look(30) == Plan(progress=driven.progress, run=scheduled(10), due_at=at(30))

    def test_nothing_is_decided_while_something_is_claimed_or_running(self) -> None:
        driven = Driven()
        driven.look(10)
        driven.on(events.Claiming())
        assert driven.look(30) == Plan(progress=driven.progress)
        driven.on(events.Granted(now=at(30)))
        assert driven.look(50) == Plan(progress=driven.progress)

    def test_a_lost_claim_settles_the_occurrence(self) -> None:
        driven = Driven()
        driven.look(10)
        driven.on(events.Claiming())
        driven.on(events.Refused())
        assert driven.state is State.WAITING
        assert driven.look(10).wake_at == at(20)

    def test_a_claim_that_could_not_be_decided_is_asked_for_again_five_seconds_later(self) -> None:
        driven = Driven(DailyAt(0, 1))
        run = driven.look(60).run
        driven.on(events.Claiming())
        assert run is not None
        driven.on(events.Undecided(occurrence=run, now=at(62)))
        assert driven.state is State.BACKING_OFF
        assert driven.look(62).wake_at == at(67)
        plan = driven.look(67)
        assert (plan.run, plan.due_at) == (run, at(67))

    def test_a_claim_that_stays_undecided_until_the_next_occurrence_gives_way_to_it(self) -> None:
        driven = Driven(Every(60))
        driven.look(60)
        driven.on(events.Claiming())
        driven.on(events.Undecided(occurrence=scheduled(60), now=at(118)))
        plan = driven.look(120)
        assert plan.run == scheduled(120)
        assert plan.skipped == (Skipped(task="task", scheduled_for=at(60), reason=SkipReason.COALESCED),)

    @pytest.mark.parametrize(
        ("event", "sentence"),
        [
            (events.Claiming(), "task: nothing is due, so there is nothing to claim"),
            (events.Granted(now=START), "task: the store was not asked, so it cannot have answered"),
            (events.Refused(), "task: the store was not asked, so it cannot have answered"),
            (events.Undecided(occurrence=scheduled(0), now=START), "task: the store was not asked"),
            (
                events.Finished(
                    result=RunResult(
                        claim=Claim(run_id="1", occurrence=scheduled(0)),
                        status=RunStatus.SUCCEEDED,
                        started_at=START,
                        finished_at=START,
                        duration=0,
                    ),
                    now=START,
                ),
                "task: nothing runs, so nothing can have ended",
            ),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_what_cannot_have_happened_is_refused(self, event: events.Event, sentence: str) -> None:
        with pytest.raises(RuntimeError, match=sentence):
            Driven().on(event)

    def test_what_came_due_during_a_run_is_left_out(self) -> None:
        driven = Driven()
        driven.start(10)
        driven.end(35)
        plan = driven.look(35)
        assert reasons(plan) == [(SkipReason.OVERLAP, 2)]
        assert plan.skipped[0].scheduled_for == at(30)
        assert plan.wake_at == at(40)

    def test_an_occurrence_at_the_very_end_of_a_run_overlaps_with_it_and_a_later_one_does_not(self) -> None:
        driven = Driven()
        driven.start(10)
        driven.end(20)
        assert reasons(driven.look(20)) == [(SkipReason.OVERLAP, 1)]
        driven.start(30)
        driven.end(39.9)
        assert driven.look(40).run == scheduled(40)

    def test_queued_is_the_latest_of_them(self) -> None:
        driven = Driven(overlap=Overlap.QUEUE)
        driven.start(10)
        driven.end(35)
        plan = driven.look(35)
        assert (plan.run, reasons(plan)) == (scheduled(30), [(SkipReason.OVERLAP, 1)])

    def test_queued_runs_however_late_it_is(self) -> None:
        driven = Driven(Every(100), overlap=Overlap.QUEUE, catch_up=CatchUp.NONE)
        driven.start(100)
        driven.end(299)
        assert driven.look(299).run == scheduled(200, trigger=Trigger.CATCH_UP)

    def test_what_is_due_at_the_very_moment_a_run_begins_does_not_overlap_with_it(self) -> None:
        driven = Driven(Every(50), catch_up=CatchUp.ALL)
        assert driven.start(100) == scheduled(50)
        driven.end(100)
        assert driven.look(100).run == scheduled(100)

    def test_side_by_side_up_to_the_concurrency(self) -> None:
        driven = Driven(overlap=Overlap.ALLOW, concurrency=2)
        driven.start(10)
        driven.start(20)
        assert reasons(driven.look(30)) == [(SkipReason.OVERLAP, 1)]
        driven.end(31)
        assert driven.start(40) == scheduled(40)


class TestLateness:
    def test_several_at_once_become_the_latest(self) -> None:
        plan = Driven().look(55)
        assert (plan.run, plan.due_at, reasons(plan)) == (scheduled(50), at(50), [(SkipReason.COALESCED, 4)])

    def test_what_was_left_out_says_from_when_to_when_and_how_late_that_was_found_out(self) -> None:
        assert Driven().look(55).skipped == (
            Skipped(
                task="task",
                reason=SkipReason.COALESCED,
                count=4,
                first=at(10),
                scheduled_for=at(40),
                lateness=45,
            ),
        )

    def test_a_minute_is_on_time_and_more_is_catching_up(self) -> None:
        assert Driven(DailyAt(0, 10)).look(660).run == scheduled(600)
        assert Driven(DailyAt(0, 10)).look(661).run == scheduled(600, trigger=Trigger.CATCH_UP)

    def test_without_catch_up_more_than_a_minute_is_too_late(self) -> None:
        on_time, late = (Driven(DailyAt(0, 10), catch_up=CatchUp.NONE).look(second) for second in (660, 661))
        assert on_time.run == scheduled(600)
        assert late.run is None
        assert reasons(late) == [(SkipReason.MISFIRE, 1)]
        assert late.wake_at == at(600 + 86_400)

    def test_the_window_is_the_limit_of_catching_up(self) -> None:
        window = timedelta(hours=2)
        on_time, late = (Driven(DailyAt(0, 10), catch_up_window=window).look(600 + s) for s in (7200, 7201))
        assert on_time.run == scheduled(600, trigger=Trigger.CATCH_UP)
        assert reasons(late) == [(SkipReason.MISFIRE, 1)]

    def test_a_queue_makes_nothing_due_that_is_too_late_by_itself(self) -> None:
        plan = Driven(DailyAt(0, 10), overlap=Overlap.QUEUE, catch_up=CatchUp.NONE).look(661)
        assert reasons(plan) == [(SkipReason.MISFIRE, 1)]

    def test_the_window_includes_its_end(self) -> None:
        plan = Driven(Every(100), catch_up=CatchUp.ALL, catch_up_window=timedelta(seconds=150)).look(250)
        assert (plan.run, plan.skipped) == (scheduled(100, trigger=Trigger.CATCH_UP), ())

    def test_all_of_them_one_by_one(self) -> None:
        driven = Driven(Every(100), catch_up=CatchUp.ALL)
        began = [driven.start(350)]
        driven.end(350)
        began.append(driven.start(350.1))
        driven.end(350.1)
        began.append(driven.start(350.1))
        driven.end(350.1)
        assert [run.scheduled_for for run in began] == [at(100), at(200), at(300)]
        assert [run.trigger for run in began] == [Trigger.CATCH_UP, Trigger.CATCH_UP, Trigger.SCHEDULE]
        assert driven.look(350.2).wake_at == at(400)

    def test_all_of_them_within_the_window(self) -> None:
        plan = Driven(Every(100), catch_up=CatchUp.ALL, catch_up_window=timedelta(seconds=150)).look(410)
        assert plan.run is not None
        assert plan.run.scheduled_for == at(300)
        assert reasons(plan) == [(SkipReason.MISFIRE, 2)]

    def test_all_of_them_wait_for_a_place_side_by_side(self) -> None:
        driven = Driven(Every(100), catch_up=CatchUp.ALL, overlap=Overlap.ALLOW, concurrency=1)
        driven.start(350)
        assert driven.look(350) == Plan(progress=driven.progress)
        driven.end(351)
        assert driven.start(351).scheduled_for == at(200)

    def test_jitter_makes_nothing_due_too_early_however_late_one_looks(self) -> None:
        due = [Driven(Every(10, jitter=4.9)).look(second) for second in range(6, 500, 7)]
        late = [at(second) - (plan.due_at or START) for second, plan in zip(range(6, 500, 7), due, strict=True)]
        assert all(plan.run for plan in due[2:])
        assert all(timedelta(0) <= lateness < timedelta(seconds=20) for lateness in late[2:])


class TestRetries:
    def test_a_failed_run_is_tried_again_after_its_delay(self) -> None:
        driven = Driven(DailyAt(0, 1), retry=Retry(attempts=2, delay=30))
        driven.fail(60, 65)
        assert driven.state is State.BACKING_OFF
        assert driven.look(65).wake_at == at(95)
        assert driven.start(95) == scheduled(60, attempt=2)
        driven.end(96, RunStatus.FAILED)
        assert driven.state is State.WAITING
        assert driven.progress.failures == 2

    def test_a_retry_gives_way_to_the_next_occurrence(self) -> None:
        driven = Driven(retry=Retry(attempts=2, delay=30))
        driven.fail(10, 15)
        assert driven.look(15).wake_at == at(20), "the earlier of both"
        plan = driven.look(20)
        assert (plan.run, plan.skipped) == (scheduled(20), ())
        assert driven.progress.pending is None

    @pytest.mark.parametrize("status", [RunStatus.SUCCEEDED, RunStatus.SKIPPED, RunStatus.CANCELLED])
    def test_only_failures_are_tried_again(self, status: RunStatus) -> None:
        driven = Driven(DailyAt(0, 1), retry=Retry(attempts=2, delay=30))
        driven.start(60)
        driven.end(61, status)
        assert driven.state is State.WAITING

    def test_an_occurrence_that_has_not_run_yet_goes_before_a_retry(self) -> None:
        driven = Driven(Every(10), retry=Retry(attempts=2), overlap=Overlap.ALLOW)
        driven.start(10)
        waiting = driven.look(20).run
        driven.on(events.Claiming())
        assert waiting is not None
        driven.on(events.Undecided(occurrence=waiting, now=at(20)))
        driven.end(21, RunStatus.FAILED)
        assert driven.progress.pending == waiting

    def test_of_two_that_have_not_run_yet_the_later_stays(self) -> None:
        driven = Driven(Every(10), overlap=Overlap.ALLOW)
        for second in (10, 20):
            driven.look(second)
            driven.on(events.Claiming())
        assert driven.on(events.Undecided(occurrence=scheduled(10), now=at(20))).skipped == ()
        assert reasons(driven.on(events.Undecided(occurrence=scheduled(20), now=at(21)))) == [(SkipReason.COALESCED, 1)]
        assert driven.progress.pending == scheduled(20)


class TestSuspension:
    def test_after_enough_failures_it_rests_and_leaves_out_what_passes(self) -> None:
        driven = Driven(suspend_after=2, suspend_for=25)
        driven.fail(10, 11)
        assert driven.state is State.WAITING
        driven.fail(20, 21)
        assert driven.state is State.SUSPENDED
        assert driven.look(30).wake_at == at(46)
        plan = driven.look(46)
        assert reasons(plan) == [(SkipReason.SUSPENDED, 2)]
        assert plan.wake_at == at(50)

    def test_each_further_failure_doubles_the_rest(self) -> None:
        driven = Driven(suspend_after=1, suspend_for=100)
        driven.fail(10, 10)
        driven.look(110)
        driven.fail(120, 120)
        assert driven.progress.suspended_until == at(320)

    def test_it_rests_for_an_hour_at_most_unless_told_otherwise(self) -> None:
        for suspend_for, longest in ((1000, 3600), (7200, 7200)):
            driven = Driven(Every(10), suspend_after=1, suspend_for=suspend_for)
            driven.progress = driven.progress._replace(failures=30)
            driven.fail(10, 10)
            assert driven.progress.suspended_until == at(10 + longest)

    def test_a_success_ends_it(self) -> None:
        driven = Driven(suspend_after=1, overlap=Overlap.ALLOW)
        driven.start(10)
        driven.start(20)
        driven.end(21, RunStatus.FAILED)
        assert driven.state is State.RUNNING
        driven.end(22)
        assert driven.state is State.WAITING
        assert driven.progress.failures == 0

    def test_a_suspended_task_does_not_retry(self) -> None:
        driven = Driven(suspend_after=1, retry=Retry(attempts=5))
        driven.fail(10, 11)
        assert driven.progress.pending is None

    def test_resuming_it_by_hand_ends_it_at_once(self) -> None:
        driven = Driven(suspend_after=1, suspend_for=300)
        driven.fail(10, 11)
        assert reasons(driven.on(events.Resumed(now=at(25)))) == [(SkipReason.SUSPENDED, 1)]
        assert driven.state is State.WAITING
        assert driven.look(30).run == scheduled(30)


class TestPauses:
    def test_a_paused_task_waits_to_be_woken(self) -> None:
        driven = Driven()
        driven.on(events.Paused())
        assert driven.state is State.PAUSED
        assert driven.look(1000) == Plan(progress=driven.progress)

    def test_what_passed_meanwhile_is_left_out(self) -> None:
        driven = Driven()
        driven.on(events.Paused())
        plan = driven.on(events.Resumed(now=at(35)))
        assert reasons(plan) == [(SkipReason.PAUSED, 3)]
        assert driven.look(35).wake_at == at(40)

    def test_a_run_that_is_going_on_is_not_touched(self) -> None:
        driven = Driven()
        driven.start(10)
        driven.on(events.Paused())
        assert driven.state is State.RUNNING
        driven.end(11)
        assert driven.state is State.PAUSED

    def test_an_occurrence_that_waits_for_the_store_is_left_out_for_that_reason(self) -> None:
        driven = Driven(DailyAt(0, 1))
        waiting = driven.look(60).run
        driven.on(events.Claiming())
        assert waiting is not None
        driven.on(events.Undecided(occurrence=waiting, now=at(60)))
        assert reasons(driven.on(events.Paused())) == [(SkipReason.PAUSED, 1)]
        assert driven.progress.pending is None

    def test_an_occurrence_that_comes_back_from_the_store_during_the_pause_is_left_out_too(self) -> None:
        driven = Driven(DailyAt(0, 1))
        driven.look(60)
        driven.on(events.Claiming())
        driven.on(events.Paused())
        driven.on(events.Undecided(occurrence=scheduled(60), now=at(60)))
        assert reasons(driven.on(events.Resumed(now=at(70)))) == [(SkipReason.PAUSED, 1)]
        assert driven.progress == Progress(cursor=at(70), first_used=at(60))

    def test_a_retry_from_before_the_pause_does_not_come_after_it(self) -> None:
        driven = Driven(DailyAt(0, 1), retry=Retry(attempts=2))
        driven.start(60)
        driven.on(events.Paused())
        driven.end(61, RunStatus.FAILED)
        driven.on(events.Resumed(now=at(3600)))
        assert driven.look(3600).run is None

    def test_resuming_what_is_not_paused_changes_nothing(self) -> None:
        driven = Driven()
        before = driven.progress
        assert driven.on(events.Resumed(now=at(35))) == Plan(progress=before)

    def test_a_task_that_is_not_enabled_never_runs_on_schedule(self) -> None:
        driven = Driven(enabled=False, run_on_start=True)
        assert driven.state is State.PAUSED
        assert driven.look(1000) == Plan(progress=driven.progress)


class TestAskingForARun:
    def test_it_begins_at_once_and_settles_nothing(self) -> None:
        driven = Driven()
        driven.on(asked(3))
        plan = driven.look(3)
        assert (plan.run, plan.due_at) == (scheduled(3, trigger=Trigger.MANUAL), at(3))
        driven.on(events.Claiming())
        assert driven.progress.cursor == START

    def test_the_run_on_start_of_a_clock_that_was_set_back_holds_back_nothing(self) -> None:
        driven = Driven(run_on_start=True)
        driven.on(events.Stepped(seconds=-3600, now=at(-3600)))
        assert driven.start(-3600) == scheduled(0)
        driven.end(-3600)
        assert driven.look(-3600).wake_at == at(-3590)

    def test_it_begins_after_the_run_that_is_going_on_and_before_what_came_due(self) -> None:
        driven = Driven()
        driven.start(10)
        driven.on(asked(12))
        driven.end(25)
        assert driven.look(25).run == scheduled(12, trigger=Trigger.MANUAL)

    def test_it_is_named_by_when_it_was_asked_for_and_due_when_that_is_heard(self) -> None:
        driven = Driven()
        driven.on(events.Asked(at=at(3), now=at(4)))
        plan = driven.look(4)
        assert (plan.run, plan.due_at) == (scheduled(3, trigger=Trigger.MANUAL), at(4))

    def test_asking_again_before_it_has_begun_is_asking_once(self) -> None:
        driven = Driven()
        driven.on(asked(3))
        driven.on(asked(4))
        assert driven.progress.pending == scheduled(3, trigger=Trigger.MANUAL)

    def test_also_while_the_task_rests(self) -> None:
        driven = Driven()
        driven.on(events.Paused())
        driven.on(asked(3))
        driven.on(asked(4))
        assert driven.progress.pending == scheduled(3, trigger=Trigger.MANUAL)

    def test_hearing_of_it_again_does_not_hurry_what_nobody_could_decide(self) -> None:
        driven = Driven(DailyAt(3))
        driven.on(events.Paused())
        driven.on(asked(3))
        run = driven.look(3).run
        assert run is not None
        driven.on(events.Claiming())
        driven.on(events.Undecided(occurrence=run, now=at(3)))
        driven.on(events.Asked(at=at(3), now=at(4)))
        assert driven.look(4).wake_at == at(8)

    def test_what_is_heard_of_it_while_it_is_being_claimed_does_not_make_a_second_run(self) -> None:
        driven = Driven()
        driven.on(asked(3))
        driven.look(3)
        driven.on(events.Claiming())
        driven.on(events.Asked(at=at(3), now=at(4)))
        assert driven.progress.pending is None

    def test_an_occurrence_that_nobody_could_decide_about_goes_first_and_it_is_heard_again(self) -> None:
        driven = Driven(DailyAt(0, 1))
        driven.look(60)
        driven.on(events.Claiming())
        driven.on(events.Undecided(occurrence=scheduled(60), now=at(60)))
        driven.on(asked(62))
        assert driven.start(65) == scheduled(60)
        driven.end(66)
        driven.on(events.Asked(at=at(62), now=at(66)))
        assert driven.look(66).run == scheduled(62, trigger=Trigger.MANUAL)

    @pytest.mark.parametrize("trigger", [Trigger.SCHEDULE, Trigger.MANUAL])
    def test_it_takes_the_place_of_a_retry(self, trigger: Trigger) -> None:
        driven = Driven(DailyAt(0, 1), retry=Retry(attempts=2, delay=300))
        if trigger is Trigger.MANUAL:
            driven.on(asked(60))
        driven.fail(60, 61)
        driven.on(asked(70))
        assert driven.look(70).run == scheduled(70, trigger=Trigger.MANUAL)

    @pytest.mark.parametrize("rest", ["paused", "disabled", "suspended"])
    def test_what_rests_can_be_asked_for(self, rest: str) -> None:
        driven = Driven(enabled=rest != "disabled", suspend_after=1, suspend_for=300)
        if rest == "paused":
            driven.on(events.Paused())
        if rest == "suspended":
            driven.fail(10, 11)
        driven.on(asked(12))
        assert driven.start(12).trigger is Trigger.MANUAL

    def test_a_pause_does_not_take_it_back(self) -> None:
        driven = Driven()
        driven.on(asked(3))
        driven.on(events.Paused())
        assert driven.start(3).trigger is Trigger.MANUAL

    def test_a_resume_does_not_take_it_back(self) -> None:
        driven = Driven()
        driven.on(events.Paused())
        driven.on(asked(3))
        driven.on(events.Resumed(now=at(3)))
        assert driven.start(3).trigger is Trigger.MANUAL

    @pytest.mark.parametrize("rest", ["paused", "suspended"])
    def test_its_retry_comes_although_the_task_rests(self, rest: str) -> None:
        driven = Driven(Every(100), retry=Retry(attempts=2, delay=5), suspend_after=3, suspend_for=300)
        driven.progress = driven.progress._replace(paused=rest == "paused")
        driven.on(asked(3))
        driven.fail(3, 4)
        if rest == "suspended":
            driven.progress = driven.progress._replace(suspended_until=at(400))
        assert driven.look(4).wake_at == at(9)
        assert driven.start(9).attempt == 2

    def test_side_by_side_it_waits_for_a_place(self) -> None:
        driven = Driven(overlap=Overlap.ALLOW, concurrency=1)
        driven.start(10)
        driven.on(asked(12))
        assert driven.look(12) == Plan(progress=driven.progress)
        driven.end(13)
        assert driven.start(13).trigger is Trigger.MANUAL

    def test_nothing_begins_any_more_once_it_has_stopped(self) -> None:
        driven = Driven()
        driven.on(events.Stopped(now=at(3)))
        driven.on(asked(4))
        assert driven.progress.pending is None
        assert driven.look(4) == Plan(progress=driven.progress)


class TestStopping:
    def test_what_came_due_meanwhile_leaves_that_reason_where_nobody_catches_up(self) -> None:
        driven = Driven()
        driven.start(10)
        assert reasons(driven.on(events.Stopped(now=at(31)))) == [(SkipReason.SHUTTING_DOWN, 2)]
        assert driven.state is State.RUNNING
        driven.end(32)
        assert driven.state is State.STOPPED

    def test_what_came_due_meanwhile_is_left_to_the_next_start_where_it_catches_up(self) -> None:
        driven = Driven(Every(60))
        driven.start(60)
        assert driven.on(events.Stopped(now=at(200))).skipped == ()
        assert driven.progress.cursor == at(60)

    def test_what_waits_for_the_store_leaves_that_reason_too(self) -> None:
        driven = Driven(run_on_start=True)
        assert reasons(driven.on(events.Stopped(now=at(1)))) == [(SkipReason.SHUTTING_DOWN, 1)]

    def test_what_was_about_to_be_claimed_leaves_that_reason_too(self) -> None:
        driven = Driven()
        driven.look(10)
        assert reasons(driven.on(events.Stopped(now=at(11)))) == [(SkipReason.SHUTTING_DOWN, 1)]

    def test_a_task_that_rested_keeps_its_own_reason(self) -> None:
        paused = Driven()
        paused.on(events.Paused())
        assert reasons(paused.on(events.Stopped(now=at(11)))) == [(SkipReason.PAUSED, 1)]
        suspended = Driven(suspend_after=1)
        suspended.fail(10, 11)
        assert reasons(suspended.on(events.Stopped(now=at(21)))) == [(SkipReason.SUSPENDED, 1)]

    def test_a_task_that_is_not_enabled_has_missed_nothing(self) -> None:
        assert Driven(enabled=False).on(events.Stopped(now=at(100))).skipped == ()


class TestTheBeginning:
    def test_it_starts_with_now_if_it_is_its_first(self) -> None:
        assert Driven(DailyAt(3)).progress == Progress(cursor=START)

    def test_it_goes_on_from_where_an_earlier_process_stopped(self) -> None:
        yesterday = START - timedelta(days=1)
        assert Driven(DailyAt(3), cursor=yesterday).progress.cursor == yesterday
        assert Driven(DailyAt(3), cursor=yesterday, catch_up=CatchUp.NONE).progress.cursor == START

    def test_failures_and_pauses_outlast_a_process(self) -> None:
        progress = machine.begin(make_task(), None, START, failures=4, paused=True)
        assert (progress.failures, progress.paused) == (4, True)

    def test_a_cursor_in_the_future_shows_that_the_clock_was_set_back(self) -> None:
        assert Driven(DailyAt(3), cursor=at(10)).progress.cursor == at(10)
        assert Driven(DailyAt(3), cursor=at(10.001)).progress.cursor == START

    def test_run_on_start_is_due_at_once(self) -> None:
        driven = Driven(DailyAt(3), run_on_start=True)
        plan = driven.look(0)
        assert (plan.run, plan.due_at) == (scheduled(0), START)

    def test_what_becomes_known_late_moves_it_back(self) -> None:
        driven = Driven(DailyAt(3))
        driven.on(events.Recalled(cursor=at(-86_400), failures=2))
        assert (driven.progress.cursor, driven.progress.failures) == (at(-86_400), 2)

    @pytest.mark.parametrize("cursor", [None, at(0), at(5)])
    def test_what_becomes_known_late_never_moves_it_forward(self, cursor: datetime | None) -> None:
        driven = Driven(DailyAt(3))
        driven.on(events.Recalled(cursor=cursor, failures=2))
        assert driven.progress == Progress(cursor=START)

    def test_it_is_too_late_to_go_back_once_something_has_run(self) -> None:
        driven = Driven(DailyAt(0, 1))
        driven.start(60)
        driven.end(61)
        driven.on(events.Recalled(cursor=at(-86_400), failures=2))
        assert driven.progress.cursor == at(60)

    def test_there_is_nothing_to_go_back_to_without_catch_up(self) -> None:
        driven = Driven(DailyAt(3), catch_up=CatchUp.NONE)
        driven.on(events.Recalled(cursor=at(-86_400), failures=2))
        assert driven.progress.cursor == START


class TestTheRateOfCatchUp:
    def test_of_a_backlog_one_run_begins_every_tenth_of_a_second(self) -> None:
        driven = Driven(Every(60), cursor=at(-600), catch_up=CatchUp.ALL)
        driven.start(0)
        driven.end(0.01)
        assert driven.look(0.01) == Plan(progress=driven.progress, wake_at=at(0.1))
        assert driven.start(0.1).scheduled_for == at(-480)

    def test_also_where_runs_may_overlap(self) -> None:
        driven = Driven(Every(60), cursor=at(-600), catch_up=CatchUp.ALL, overlap=Overlap.ALLOW)
        driven.start(0)
        assert driven.look(0.05).wake_at == at(0.1)

    def test_what_is_on_time_does_not_wait(self) -> None:
        driven = Driven(Every(10), cursor=at(-20), catch_up=CatchUp.ALL)
        driven.start(0)
        driven.end(0.01)
        assert driven.look(0.01).run == scheduled(0)
