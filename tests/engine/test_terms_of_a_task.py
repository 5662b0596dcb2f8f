"""What the leadership of its process changes for a task: transition by transition."""

from dataclasses import replace

from asyncsched import DailyAt, Every, Retry, Scope
from asyncsched.engine import events, machine
from asyncsched.engine.leadership import FOLLOWS, Standing
from asyncsched.engine.progress import Plan, State
from asyncsched.engine.runs import RunStatus, SkipReason, Trigger
from asyncsched.schedules import Schedule
from tests.engine.driven import START, Driven, asked, at, reasons, scheduled


class TestLeadership:
    def follower(self, schedule: Schedule = Every(10), **options: object) -> Driven:
        driven = Driven(schedule, **options)
        driven.progress = machine.begin(driven.task, None, START, standing=FOLLOWS)
        return driven

    def test_who_does_not_lead_stands_by(self) -> None:
        driven = self.follower()
        assert driven.state is State.STANDBY
        assert driven.look(100) == Plan(progress=driven.progress)

    def test_a_task_of_every_replica_needs_no_leader(self) -> None:
        driven = self.follower(scope=Scope.REPLICA)
        driven.on(events.Followed())
        assert driven.look(10).run == scheduled(10)

    def test_a_new_leader_starts_with_occurrences_after_its_own_start(self) -> None:
        driven = self.follower()
        plan = driven.on(events.Led(now=at(35), cursor=None, failures=2))
        assert reasons(plan) == [(SkipReason.NOT_LEADER, 3)]
        assert driven.look(35).wake_at == at(40)
        assert driven.progress.failures == 2

    def test_its_term_begins_with_occurrences_after_what_its_predecessor_may_have_begun(self) -> None:
        driven = self.follower()
        driven.on(events.Led(now=at(35), cursor=None, failures=0, since=at(40)))
        assert driven.look(40).wake_at == at(50)

    def test_with_jitter_that_may_have_been_some_before_their_instant(self) -> None:
        driven = self.follower(Every(10, jitter=3))
        driven.on(events.Led(now=at(38), cursor=None, failures=0, since=at(38)))
        assert driven.progress.cursor == at(41)

    def test_who_starts_as_the_leader_heeds_that_as_well(self) -> None:
        driven = Driven()
        standing = Standing(leads=True, term=2, since=at(10))
        driven.progress = machine.begin(driven.task, None, START, standing=standing)
        assert driven.look(10).wake_at == at(20)

    def test_who_leads_again_goes_by_what_the_store_remembers_and_not_by_what_it_had_decided(self) -> None:
        driven = Driven(Every(100))
        assert driven.look(100).run == scheduled(100)
        driven.on(events.Followed())
        driven.on(events.Led(now=at(150), cursor=at(0), failures=0))
        assert driven.look(150).run == replace(scheduled(100), trigger=Trigger.SCHEDULE)

    def test_a_new_leader_catches_up_from_where_the_one_before_stopped(self) -> None:
        driven = self.follower(Every(100))
        assert driven.on(events.Led(now=at(350), cursor=at(200), failures=0)).skipped == ()
        plan = driven.look(350)
        assert (plan.run, plan.skipped) == (scheduled(300), ())

    def test_a_new_leader_catches_up_from_its_own_start_if_nobody_led_before(self) -> None:
        driven = self.follower(Every(100))
        driven.on(events.Led(now=at(150), cursor=None, failures=0))
        assert driven.look(150).run == scheduled(100)

    def test_who_steps_down_lets_its_run_end_and_begins_no_other(self) -> None:
        driven = Driven(retry=Retry(attempts=2))
        driven.start(10)
        driven.on(events.Followed())
        assert driven.state is State.RUNNING
        driven.end(11)
        assert driven.state is State.STANDBY
        assert driven.look(100).run is None

    def test_what_waits_for_the_store_is_left_to_the_next_leader(self) -> None:
        driven = Driven(DailyAt(0, 1))
        driven.look(60)
        driven.on(events.Claiming())
        driven.on(events.Undecided(occurrence=scheduled(60), now=at(60)))
        assert driven.on(events.Followed()).skipped == ()
        assert driven.progress.pending is None

    def test_a_run_that_was_asked_for_is_left_to_the_next_leader_who_hears_of_it_too(self) -> None:
        driven = Driven()
        driven.on(asked(3))
        driven.on(events.Followed())
        assert driven.look(3).run is None
        driven.on(events.Led(now=at(4), cursor=None, failures=0))
        driven.on(events.Asked(at=at(3), now=at(4)))
        assert driven.look(4).run == scheduled(3, trigger=Trigger.MANUAL)

    def test_one_whose_claim_nobody_could_decide_is_left_to_it_as_well(self) -> None:
        driven = Driven()
        driven.on(asked(3))
        run = driven.look(3).run
        assert run is not None
        driven.on(events.Claiming())
        driven.on(events.Followed())
        driven.on(events.Undecided(occurrence=run, now=at(4)))
        assert driven.progress.pending is None

    def test_its_retry_is_not_for_nobody_else_knows_of_it(self) -> None:
        driven = Driven(Every(3600), retry=Retry(attempts=2, delay=5))
        driven.on(asked(3))
        driven.fail(3, 4)
        driven.on(events.Followed())
        run = driven.look(9).run
        assert run is not None
        driven.on(events.Claiming())
        driven.on(events.Undecided(occurrence=run, now=at(9)))
        assert driven.start(14).attempt == 2

    def test_being_told_twice_that_it_leads_changes_nothing(self) -> None:
        driven = Driven()
        before = driven.progress
        assert driven.on(events.Led(now=at(35), cursor=at(30), failures=7)) == Plan(progress=before)

    def test_a_follower_that_stops_has_missed_nothing(self) -> None:
        driven = self.follower()
        assert reasons(driven.on(events.Stopped(now=at(11)))) == [(SkipReason.NOT_LEADER, 1)]


class TestWhatIsNotCarriedOverIntoAnotherTerm:
    def test_a_suspension(self) -> None:
        driven = Driven(Every(100), suspend_after=1, suspend_for=5000)
        driven.start(100)
        driven.end(101, RunStatus.FAILED)
        driven.on(events.Followed())
        driven.on(events.Led(now=at(350), cursor=at(200), failures=0))
        assert driven.look(350).run == scheduled(300)

    def test_what_was_decided_on_if_history_is_known_only_later(self) -> None:
        driven = Driven(Every(100))
        driven.start(100)
        driven.end(101)
        assert driven.look(200).run == scheduled(200)
        driven.on(events.Followed())
        driven.on(events.Led(now=at(215), cursor=None, failures=0))
        driven.on(events.Recalled(cursor=at(100), failures=0))
        assert driven.look(220).run == scheduled(200)

    def test_a_claim_that_nobody_could_decide(self) -> None:
        driven = Driven(Every(100))
        run = driven.look(100).run
        assert run is not None
        driven.on(events.Claiming())
        driven.on(events.Followed())
        driven.on(events.Undecided(occurrence=run, now=at(110)))
        assert driven.progress.pending is None


class TestAbandoned:
    def abandoned(self, attempt: int = 1, seconds: float = 45) -> events.Abandoned:
        return events.Abandoned(occurrence=replace(scheduled(0), attempt=attempt), now=at(seconds))

    def test_what_a_dead_process_was_running_is_run_again_if_the_task_says_so(self) -> None:
        driven = Driven(Every(3600), rerun_abandoned=True)
        driven.on(self.abandoned())
        assert driven.look(45).run == replace(scheduled(0), attempt=2, trigger=Trigger.CATCH_UP)

    def test_but_not_by_default(self) -> None:
        driven = Driven(Every(3600))
        assert driven.on(self.abandoned()).progress.pending is None

    def test_at_most_twice_for_it_may_be_what_kills_the_process(self) -> None:
        driven = Driven(Every(3600), rerun_abandoned=True)
        assert driven.on(self.abandoned(attempt=3)).progress.pending is None

    def test_it_waits_for_the_run_that_goes_on(self) -> None:
        driven = Driven(Every(60), rerun_abandoned=True)
        driven.start(60)
        assert driven.on(self.abandoned(seconds=61)).progress.pending is None
        driven.end(62)
        assert driven.on(self.abandoned(seconds=63)).progress.pending is not None

    def test_who_does_not_lead_leaves_it_to_who_does(self) -> None:
        driven = Driven(Every(3600), rerun_abandoned=True)
        driven.on(events.Followed())
        assert driven.on(self.abandoned()).progress.pending is None
