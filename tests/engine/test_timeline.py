"""A task's own time, while it is ahead of a wall clock that was set back, and when both meet again."""

from datetime import timedelta

from asyncsched import CatchUp, DailyAt, Every, Overlap, Retry
from asyncsched.engine import events
from asyncsched.engine.progress import Progress, Stretch
from asyncsched.engine.runs import SkipReason, Trigger
from asyncsched.engine.timeline import MOST_STRETCHES
from tests.engine.driven import Driven, asked, at, reasons, scheduled


def set_back_by_half_an_hour(**options: object) -> Driven:
    """A task of every 10 s that has run from 10 to 3610, and whose clock, at 3615, was set to 1815."""
    driven = Driven(Every(10), **options)
    for second in (10, 3610):
        driven.start(second)
        driven.end(second)
    driven.on(events.Stepped(seconds=-1800, now=at(1815)))
    driven.look(1815)
    return driven


class TestAhead:
    def test_the_next_occurrence_has_an_unused_name_and_comes_after_one_interval(self) -> None:
        driven = set_back_by_half_an_hour()
        assert driven.look(1815).wake_at == at(1825)
        plan = driven.look(1825)
        assert (plan.run, plan.due_at) == (scheduled(3620), at(1825))

    def test_what_comes_due_during_a_run_overlaps(self) -> None:
        driven = set_back_by_half_an_hour()
        driven.start(1825)
        driven.end(1846)
        assert reasons(driven.look(1846)) == [(SkipReason.OVERLAP, 2)]

    def test_what_came_due_before_a_run_began_does_not_overlap_with_it(self) -> None:
        driven = Driven(catch_up=CatchUp.ALL)
        driven.progress = driven.progress._replace(cursor=at(1000), ahead=timedelta(seconds=1000))
        assert driven.start(35) == scheduled(1010)
        driven.end(35)
        assert driven.look(35).run == scheduled(1020)

    def test_what_it_did_not_run_as_a_follower_is_counted(self) -> None:
        driven = set_back_by_half_an_hour()
        driven.on(events.Followed())
        plan = driven.on(events.Led(now=at(1846), cursor=None, failures=0))
        assert reasons(plan) == [(SkipReason.NOT_LEADER, 3)]

    def test_what_passes_during_a_pause_is_counted(self) -> None:
        driven = set_back_by_half_an_hour()
        driven.on(events.Paused())
        plan = driven.on(events.Resumed(now=at(1846)))
        assert [(skip.reason, skip.count, skip.first) for skip in plan.skipped] == [(SkipReason.PAUSED, 3, at(3620))]
        assert driven.progress.paused is False

    def test_a_claim_is_decided_on_again_after_five_seconds(self) -> None:
        driven = set_back_by_half_an_hour()
        driven.look(1825)
        driven.on(events.Claiming())
        driven.on(events.Undecided(occurrence=scheduled(3620), now=at(1825)))
        assert driven.look(1825).wake_at == at(1830)

    def test_a_retry_comes_after_its_delay(self) -> None:
        driven = set_back_by_half_an_hour(retry=Retry(attempts=2, delay=4))
        driven.fail(1825, 1826)
        assert driven.look(1826).wake_at == at(1830)

    def test_a_run_that_is_asked_for_begins_at_once_and_under_the_time_of_day(self) -> None:
        driven = set_back_by_half_an_hour()
        driven.on(asked(1816))
        plan = driven.look(1816)
        assert (plan.run, plan.due_at) == (scheduled(1816, trigger=Trigger.MANUAL), at(1816))

    def test_a_suspension_lasts_as_long_as_it_should(self) -> None:
        driven = set_back_by_half_an_hour(suspend_after=1, suspend_for=100)
        driven.fail(1825, 1826)
        assert driven.look(1826).wake_at == at(1926)

    def test_what_comes_due_while_it_stops_is_counted(self) -> None:
        driven = set_back_by_half_an_hour()
        assert reasons(driven.on(events.Stopped(now=at(1846)))) == [(SkipReason.SHUTTING_DOWN, 3)]

    def test_a_small_step_back_is_waited_for(self) -> None:
        driven = set_back_by_half_an_hour()
        driven.on(events.Stepped(seconds=-5, now=at(1812)))
        assert driven.look(1812).wake_at == at(1825)


class TestTogetherAgain:
    def test_when_the_clock_is_put_right(self) -> None:
        driven = set_back_by_half_an_hour()
        driven.start(1825)
        driven.end(1825)
        driven.on(events.Stepped(seconds=1800, now=at(3627)))
        assert driven.progress.ahead == timedelta(0)
        assert driven.look(3627).wake_at == at(3630)

    def test_a_retry_that_is_under_way_takes_no_notice(self) -> None:
        driven = set_back_by_half_an_hour(retry=Retry(attempts=2, delay=4))
        driven.fail(1825, 1825)
        driven.on(events.Stepped(seconds=1800, now=at(3626)))
        assert driven.look(3626).wake_at == at(3629)

    def test_a_run_that_is_going_on_takes_no_notice(self) -> None:
        driven = set_back_by_half_an_hour()
        driven.start(1825)
        driven.on(events.Stepped(seconds=1800, now=at(3630)))
        driven.end(3651)
        plan = driven.look(3651)
        assert {skip.reason for skip in plan.skipped} == {SkipReason.OVERLAP}
        assert plan.wake_at == at(3660)


class TestJumpingForwards:
    def test_a_run_that_ended_before_the_jump_overlaps_with_nothing_after_it(self) -> None:
        driven = Driven()
        driven.start(10)
        driven.end(35)
        driven.on(events.Stepped(seconds=60, now=at(96)))
        assert driven.look(96).run == scheduled(90)

    def test_a_run_that_goes_on_overlaps_with_what_comes_due_before_it_ends(self) -> None:
        driven = Driven()
        driven.start(10)
        driven.on(events.Stepped(seconds=60, now=at(75)))
        driven.end(83)
        plan = driven.look(83)
        assert (plan.run, plan.skipped[-1].reason) == (None, SkipReason.OVERLAP)

    def test_a_jump_over_nothing_is_soon_forgotten(self) -> None:
        driven = Driven()
        driven.on(events.Stepped(seconds=3, now=at(3)))
        driven.look(3)
        assert reasons(driven.look(35)) == [(SkipReason.COALESCED, 2)]

    def test_the_next_look_is_an_ordinary_one(self) -> None:
        driven = Driven()
        driven.on(events.Stepped(seconds=100, now=at(100)))
        driven.start(100)
        driven.end(100)
        assert reasons(driven.look(135)) == [(SkipReason.COALESCED, 2)]


class TestWhatWasUsed:
    def test_ten_seconds_are_waited_for_and_no_more(self) -> None:
        waits, notes = Driven(), Driven()
        for driven, back in ((waits, 10), (notes, 10.001)):
            driven.start(10)
            driven.end(10)
            driven.on(events.Stepped(seconds=-back, now=at(10 - back)))
        assert waits.progress.used == ()
        assert notes.progress.used == (Stretch(first=at(10), last=at(10)),)

    def test_each_step_closes_a_stretch(self) -> None:
        driven = Driven()
        for second in (10, 20):
            driven.start(second)
            driven.end(second)
        driven.on(events.Stepped(seconds=3600, now=at(3620)))
        driven.start(3620)
        driven.end(3620)
        driven.on(events.Stepped(seconds=3600, now=at(7220)))
        assert driven.progress.used == (
            Stretch(first=at(10), last=at(20)),
            Stretch(first=at(3620), last=at(3620)),
        )

    def test_a_step_after_which_nothing_ran_leaves_nothing(self) -> None:
        driven = Driven()
        driven.on(events.Stepped(seconds=3600, now=at(3600)))
        driven.on(events.Stepped(seconds=3600, now=at(7200)))
        assert driven.progress.used == ()

    def test_the_oldest_are_put_together_so_that_their_number_is_bounded(self) -> None:
        driven = Driven()
        for hour in range(MOST_STRETCHES + 1):
            driven.start(3600 * hour + 10)
            driven.end(3600 * hour + 10)
            driven.on(events.Stepped(seconds=3590, now=at(3600 * hour + 3600)))
            assert len(driven.progress.used) == min(hour + 1, MOST_STRETCHES)
        assert driven.progress.used[:2] == (
            Stretch(first=at(10), last=at(3610)),
            Stretch(first=at(7210), last=at(7210)),
        )

    def test_a_claimed_task_waits_until_it_is_behind(self) -> None:
        driven = Driven(Every(100))
        for second in (100, 200, 300):
            driven.start(second)
            driven.end(second)
        driven.on(events.Stepped(seconds=-250, now=at(60)))
        assert driven.look(60).wake_at == at(100)
        assert driven.look(100).wake_at == at(400)
        assert driven.progress.ahead == timedelta(0)

    def test_what_was_missed_before_it_leaves_a_reason(self) -> None:
        driven = Driven(Every(100))
        for second in (1000, 1100):
            driven.start(second)
            driven.end(second)
        driven.on(events.Stepped(seconds=-900, now=at(210)))
        driven.on(events.Stepped(seconds=850, now=at(1060)))
        plan = driven.look(1060)
        assert [(skip.reason, skip.count, skip.first, skip.scheduled_for) for skip in plan.skipped] == [
            (SkipReason.CLOCK_STEP, 7, at(300), at(900))
        ]
        assert plan.wake_at == at(1200)

    def test_several_stretches_that_were_passed_leave_out_what_lies_between_them(self) -> None:
        driven = Driven(Every(100))
        used = (Stretch(first=at(700), last=at(800)), Stretch(first=at(300), last=at(400)))
        driven.progress = driven.progress._replace(cursor=at(100), used=used)
        plan = driven.look(1000)
        assert plan.run == scheduled(1000)
        assert [(skip.reason, skip.first, skip.scheduled_for) for skip in plan.skipped] == [
            (SkipReason.CLOCK_STEP, at(200), at(200)),
            (SkipReason.CLOCK_STEP, at(500), at(600)),
            (SkipReason.COALESCED, at(900), at(900)),
        ]

    def test_jitter_may_bring_a_used_occurrence_early_and_it_is_used_all_the_same(self) -> None:
        driven = Driven(Every(10, jitter=4.9), overlap=Overlap.ALLOW, concurrency=99)
        ran = []
        for second in range(200):
            while driven.look(second).run:
                driven.on(events.Claiming())
                driven.on(events.Granted(now=at(second)))
                ran.append(driven.progress.cursor)
        driven.on(events.Stepped(seconds=-300, now=at(-100)))
        for second in range(-100, 500):
            while driven.look(second).run:
                driven.on(events.Claiming())
                ran.append(driven.progress.cursor)
                driven.on(events.Refused())
        assert len(ran) == len(set(ran))


class TestNotSet:
    """The clock was not set at the start: see tests/engine/test_clock_steps.py."""

    def held(self, schedule: object = Every(10), **options: object) -> Driven:
        driven = Driven(schedule, **options)
        driven.progress = Progress(cursor=at(0), held=True)
        return driven

    def test_being_set_begins_anew(self) -> None:
        driven = self.held()
        driven.on(events.Stepped(seconds=10**9, now=at(10**9)))
        assert driven.progress == Progress(cursor=at(10**9))

    def test_a_step_that_does_not_set_it_right_is_any_other_step(self) -> None:
        driven = self.held(DailyAt(0, 1))
        driven.on(events.Stepped(seconds=10**6, now=at(10**6), is_set=False))
        assert driven.progress == Progress(cursor=at(0), held=True, jumped=True)
        assert driven.look(10**6) == driven.look(10**7)

    def test_a_retry_that_is_under_way_takes_no_notice(self) -> None:
        driven = self.held(retry=Retry(attempts=2, delay=4))
        driven.fail(10, 11)
        driven.on(events.Stepped(seconds=10**9, now=at(10**9 + 12)))
        assert driven.look(10**9 + 12).wake_at == at(10**9 + 15)

    def test_names_that_were_ahead_of_a_wrong_clock_are_not_ahead_of_the_right_one(self) -> None:
        driven = self.held()
        for second in (10, 3610):
            driven.start(second)
            driven.end(second)
        driven.on(events.Stepped(seconds=-1800, now=at(1815), is_set=False))
        driven.look(1815)
        assert driven.progress.ahead > timedelta(0)
        driven.on(events.Stepped(seconds=10**9, now=at(10**9 + 1815)))
        assert driven.look(10**9 + 1815).wake_at == at(10**9 + 1820)
