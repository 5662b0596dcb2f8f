"""The rules of the election: what a candidate does about the row it has read."""

from datetime import UTC, datetime

from asyncsched.engine.election import Lease, Move, Watch, is_mine, judge

HELD = Lease(term=7, holder="other", beat=3, watched=True)


def decide(lease: Lease, watch: Watch | None = None, *, at: float = 100.0) -> tuple[Move, Watch | None]:
    return judge(lease, watch, me="me", asked_at=at, answered_at=at, silence=8.0)


def test_a_lead_that_was_given_up_is_taken_at_once() -> None:
    assert decide(Lease(term=7)) == (Move.TAKE, None)


def test_the_first_lead_ever_is_taken_at_once() -> None:
    assert decide(Lease()) == (Move.TAKE, None)


def test_so_is_ones_own_from_a_term_that_one_no_longer_trusts() -> None:
    assert decide(Lease(term=7, holder="me", beat=3)) == (Move.TAKE, None)


def test_a_holder_that_nobody_watches_is_asked_for_signs_of_life() -> None:
    assert decide(HELD._replace(watched=False)) == (Move.ASK, None)


def test_asking_begins_the_wait_anew_for_an_unwatched_holder_need_not_have_answered() -> None:
    long_ago = Watch(seen=HELD, since=0.0)
    assert decide(HELD._replace(watched=False), long_ago) == (Move.ASK, None)


def test_from_then_on_its_silence_counts() -> None:
    assert decide(HELD) == (Move.WAIT, Watch(seen=HELD, since=100.0))


def test_a_beat_or_another_term_begins_the_wait_anew() -> None:
    watch = Watch(seen=HELD, since=93.0)
    for seen in (HELD._replace(beat=4), HELD._replace(term=8, holder="third")):
        assert decide(seen, watch) == (Move.WAIT, Watch(seen=seen, since=100.0))


def test_silence_that_has_not_lasted_long_enough_is_waited_out() -> None:
    watch = Watch(seen=HELD, since=92.1)
    assert decide(HELD, watch) == (Move.WAIT, watch)


def test_silence_that_has_lasted_long_enough_costs_the_lead() -> None:
    watch = Watch(seen=HELD, since=92.0)
    assert decide(HELD, watch) == (Move.TAKE_OVER, watch)


def test_of_a_look_that_took_long_only_what_is_certain_counts() -> None:
    late = {"me": "me", "asked_at": 99.9, "answered_at": 110.0, "silence": 8.0}
    watch = Watch(seen=HELD, since=92.0)
    assert judge(HELD, watch, **late) == (Move.WAIT, watch)
    assert judge(HELD, None, **late) == (Move.WAIT, Watch(seen=HELD, since=110.0))


def test_a_lease_is_ones_own_in_ones_own_term_only() -> None:
    until = datetime(2026, 1, 1, tzinfo=UTC)
    assert is_mine(Lease(term=7, holder="me", until=until), me="me", term=7)
    assert not is_mine(Lease(term=8, holder="me"), me="me", term=7)
    assert not is_mine(Lease(term=7, holder="other"), me="me", term=7)
