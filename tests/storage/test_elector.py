"""Processes in the election, each with a clock of its own: whatever is late, frozen or away, terms never overlap."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asyncsched.engine.leadership import LOOP_PATIENCE
from asyncsched.models import Lease, Replica, Term
from asyncsched.storage.elector import Elector
from asyncsched.storage.session_lock import NoGuard

LEASE = 10.0
WATCH = 0.5


class Machine:
    """A process whose monotonic clock the test turns."""

    def __init__(self, name: str, *, seconds: float = LEASE, guard: Any = None) -> None:
        self.times = [0.0]
        self.loop_seen = 0.0
        self.elector = Elector(
            me=name,
            seconds=seconds,
            now=lambda: datetime.now(UTC),
            guard=guard or NoGuard(),
            loop_seen=lambda: self.loop_seen,
            clock=lambda: self.times.pop(0) if len(self.times) > 1 else self.times[0],
        )

    def look(self, at: float, *, began: float | None = None, ended: float | None = None) -> float:
        """Look: the database is asked at *at*, the process began before, and has the answer only later."""
        self.times = [at if began is None else began, at if ended is None else ended]
        self.loop_seen = self.times[0]
        return self.elector.look()

    def look_regularly(self, start: float, end: float) -> None:
        while start <= end:
            start += self.look(start)

    def leads(self, at: float) -> bool:
        self.times = [at]
        return self.elector.leads

    @property
    def term(self) -> int | None:
        return self.elector.trust.standing.term


@pytest.fixture
def row(sqlite_database: Path) -> Iterator[None]:
    yield
    Lease.objects.all().delete()


@pytest.mark.usefixtures("row")
class TestOneAfterTheOther:
    def test_whoever_comes_first_leads_and_the_next_stands_by(self) -> None:
        one, other = Machine("one"), Machine("other")
        one.look(0)
        other.look(0.1)
        assert (one.leads(1), one.term, other.leads(1)) == (True, 1, False)

    def test_trust_ends_by_itself_if_the_database_is_not_heard_of(self) -> None:
        one = Machine("one")
        one.look(0)
        assert one.leads(6.9)
        assert not one.leads(7.0)

    def test_trust_counts_from_when_the_look_began_and_not_from_the_answer(self) -> None:
        one = Machine("one")
        one.look(3, began=0, ended=6)
        assert not one.leads(7.0)

    def test_a_leader_that_nobody_watches_writes_nothing(self) -> None:
        one = Machine("one")
        one.look_regularly(0, 100)
        assert one.leads(100)
        assert Lease.objects.get().beat == 0

    def test_a_leader_that_nobody_watches_asks_nothing_of_a_database_that_tells_whether_anybody_wrote(self) -> None:
        one = Machine("one")
        one.look_regularly(0, 1)
        with CaptureQueriesContext(connection) as queries:
            one.look_regularly(2, 100)
        assert one.leads(100)
        assert len(queries) == 0

    def test_a_leader_that_is_watched_answers_and_goes_on_to_lead(self) -> None:
        one, other = Machine("one"), Machine("other")
        for tick in range(200):
            one.look(tick)
            other.look(tick + 0.5)
        assert (one.leads(199), one.term, other.leads(199)) == (True, 1, False)

    def test_the_next_leads_within_the_lease_time_after_the_first_has_died(self) -> None:
        one, other = Machine("one"), Machine("other")
        for tick in range(20):
            one.look(tick)
            other.look(tick + WATCH)
        died = 19.0
        other.look_regularly(died + WATCH, died + LEASE)
        assert (other.leads(died + LEASE), other.term) == (True, 2)
        assert not one.leads(died + LEASE)

    def test_also_after_one_that_had_nobody_to_answer(self) -> None:
        one, other = Machine("one"), Machine("other")
        one.look_regularly(0, 1000)
        other.look_regularly(1000, 1000 + LEASE)
        assert other.leads(1000 + LEASE)

    def test_who_resigns_is_followed_at_the_next_look_from_when_it_resigned(self) -> None:
        one, other = Machine("one"), Machine("other")
        one.look(0)
        other.look(0.5)
        before = datetime.now(UTC)
        one.elector.resign("the scheduler stops")
        other.look(1)
        assert (one.leads(1), other.leads(1), other.term) == (False, True, 2)
        since = other.elector.trust.standing.since
        assert since is not None
        assert before < since

    def test_who_was_frozen_finds_that_it_leads_no_more_and_stands_by(self) -> None:
        one, other = Machine("one"), Machine("other")
        one.look(0)
        other.look_regularly(0.1, 15)
        assert other.leads(15)
        one.look(15.1)
        assert not one.leads(15.1)
        one.look(15.6)
        assert Lease.objects.get().holder == "other"

    def test_who_could_not_look_in_time_but_was_not_followed_leads_again_in_a_term_of_its_own(self) -> None:
        one = Machine("one")
        one.look(0)
        one.look(20)
        assert (one.leads(20), one.term) == (True, 2)

    def test_whose_event_loop_hangs_leads_no_more_and_another_does(self) -> None:
        one, other = Machine("one"), Machine("other")
        one.look(0)
        hung = 0.0
        for tick in range(1, 60):
            one.times, one.loop_seen = [float(tick)], hung
            one.elector.look()
            other.look(tick + 0.5)
            assert one.leads(tick) == (tick <= LOOP_PATIENCE)
            if other.leads(tick + 0.5):
                break
        assert LOOP_PATIENCE < tick <= LOOP_PATIENCE + 2

    def test_a_candidate_waits_as_long_as_the_holders_lease_time_demands_if_that_is_longer(self) -> None:
        one, hasty = Machine("one"), Machine("hasty", seconds=LEASE / 5)
        one.look(0)
        hasty.look_regularly(0.1, 7.5)
        assert not hasty.leads(7.5)
        hasty.look_regularly(7.6, 9)
        assert hasty.leads(9)

    def test_a_lock_that_a_session_of_the_past_still_holds_is_taken_from_it_by_whoever_may_lead(self) -> None:
        class Ghost(NoGuard):
            asked = 0

            def take(self) -> bool:
                return self.asked > 1

            def end_silent_holder(self, silence: float) -> bool:
                self.asked += 1
                return self.asked > 1

        alone = Machine("alone", guard=Ghost())
        alone.look_regularly(0, 5)
        assert alone.leads(5)

    def test_who_takes_over_declares_the_dead_dead(self) -> None:
        now = datetime.now(UTC)
        Replica.objects.create(
            replica="one", version="", tasks={}, started_at=now, seen_at=now, expires_at=now.replace(year=now.year + 1)
        )
        Machine("one").look(0)
        Machine("other").look_regularly(0.1, 12)
        assert Replica.objects.get().expires_at <= datetime.now(UTC)


def test_where_it_does_not_tell_each_look_is_one_statement(postgres_database: Any) -> None:
    one = Machine("one")
    one.look_regularly(0, 1)
    with CaptureQueriesContext(connection) as queries:
        one.look_regularly(2, 11)
    assert one.leads(11)
    assert len(queries) == 10


@pytest.mark.usefixtures("row")
class TestTheListOfTerms:
    def test_says_who_led_from_when_and_until_it_resigned(self) -> None:
        one, other = Machine("one"), Machine("other")
        one.look(0)
        one.elector.resign("the scheduler stops")
        other.look(1)
        first, second = Term.objects.order_by("term")
        assert (first.term, first.replica, second.term, second.replica) == (1, "one", 2, "other")
        assert first.since <= (first.until or first.since) <= second.since
        assert (first.until is None, second.until is None) == (False, True)
        assert second.since == Lease.objects.get().since

    def test_has_no_end_of_a_term_whose_leader_died(self) -> None:
        Machine("one").look(0)
        Machine("other").look_regularly(0.1, 12)
        assert list(Term.objects.order_by("term").values_list("replica", "until")) == [("one", None), ("other", None)]

    def test_is_not_ended_by_who_leads_no_more(self) -> None:
        one, other = Machine("one"), Machine("other")
        one.look(0)
        other.look_regularly(0.1, 15)
        one.times = [5.0]
        one.elector.resign("the scheduler stops")
        assert not Term.objects.filter(until__isnull=False).exists()

    def test_is_written_over_where_numbers_come_again_because_the_lease_was_lost(self) -> None:
        Machine("one").look(0)
        Lease.objects.all().delete()
        Machine("other").look(0)
        assert Term.objects.values_list("term", "replica", "until").get() == (1, "other", None)

    def test_keeps_nobody_from_leading_or_from_resigning(self, caplog: pytest.LogCaptureFixture) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE asyncsched_term")  # of this test's own database
        one, other = Machine("one"), Machine("other")
        one.look(0)
        assert one.leads(1)
        one.elector.resign("the scheduler stops")
        other.look(1)
        assert (other.leads(1), other.term) == (True, 2)
        assert [record.action for record in caplog.records if record.levelname == "WARNING"] == ["term_unwritten"] * 3


@pytest.mark.usefixtures("row")
class TestWhoKnowsMore:
    def test_who_is_outdone_resigns_and_leaves_the_other_the_first_turn(self) -> None:
        old, new = Machine("old"), Machine("new")
        old.look(0)
        new.look(0.1)
        old.elector.outdone = True
        old.times = [1.0]
        old.elector.give_way()
        old.look(1.1)
        new.look(1.2)
        assert (old.leads(1.2), new.leads(1.2)) == (False, True)

    def test_if_the_other_does_not_want_to_it_leads_again_and_insists(self) -> None:
        old = Machine("old")
        old.look(0)
        old.elector.outdone = True
        old.times = [1.0]
        old.elector.give_way()
        old.look_regularly(1.1, 1.1 + LEASE + 1)
        assert old.leads(1.1 + LEASE + 1)
        old.elector.give_way()
        assert old.leads(1.1 + LEASE + 1)


@dataclass
class Terms:
    """For each term when it began, and until when its leader has trusted itself."""

    began: dict[int, float] = field(default_factory=dict)
    until: dict[int, float] = field(default_factory=dict)

    def note(self, machine: Machine, at: float) -> None:
        if machine.term is not None:
            self.began.setdefault(machine.term, at)
            self.until[machine.term] = max(self.until.get(machine.term, 0.0), machine.elector.trust.until)

    def resigned(self, machine: Machine, at: float) -> None:
        if machine.term is not None:
            self.until[machine.term] = min(at, self.until[machine.term])

    @property
    def overlapping(self) -> list[int]:
        return [term for term, until in self.until.items() if until > self.began.get(term + 1, until)]


lengths = st.sampled_from([0.0, 0.5, 1.0, 7.0, 8.0, 20.0]) | st.floats(0.0, 2.0) | st.floats(0.0, 20.0)
looks = st.tuples(st.integers(0, 2), lengths, lengths, lengths, st.booleans())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(looks, max_size=60))
def test_a_term_begins_only_when_nobody_trusts_the_one_before_any_more(row: None, steps: list[Any]) -> None:
    """However long each look takes, before the database has its say and after."""
    Lease.objects.all().delete()
    machines, free_at, now, terms = [Machine(name) for name in ("a", "b", "c")], [0.0, 0.0, 0.0], 0.0, Terms()
    for index, pause, before, after, resigns in steps:
        machine, was_free_at = machines[index], free_at[index]
        now = max(now + pause, was_free_at)
        free_at[index] = now + after
        if resigns:
            machine.times = [now]
            terms.resigned(machine, now)
            machine.elector.resign("somebody said so")
        else:
            machine.look(now, began=max(was_free_at, now - before), ended=now + after)
            terms.note(machine, now)
        assert terms.overlapping == []
