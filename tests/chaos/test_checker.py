"""The checker is not blind: each wrong is told to it in a story made by hand, and what is no wrong besides.

What it sees in history is in ``test_history``.
"""

from dataclasses import replace

from tests.chaos.checker import check
from tests.chaos.gaps import takeovers
from tests.chaos.project.jobs import PULSE
from tests.chaos.records import Limits, What
from tests.chaos.story import CLAIMED, FLAKY, TICK, Story, a_good_one, row_of

LIMITS = Limits(lease=10.0, tolerance=1.0)


def _rules(story: Story) -> list[str]:
    return [violation.rule for violation in check(story.evidence(), LIMITS)]


def _texts(story: Story) -> list[str]:
    return [violation.text for violation in check(story.evidence(), LIMITS)]


def test_a_good_story_has_no_violation() -> None:
    assert _rules(a_good_one(FLAKY)) == []


# Twice


def test_an_occurrence_started_twice_is_seen() -> None:
    story = a_good_one()
    story.start(TICK.name, 50.6, due=50)
    assert _rules(story) == ["double"]


def test_an_occurrence_started_by_two_processes_is_seen() -> None:
    story = a_good_one()
    story.start(TICK.name, 50.5, due=50, pid=2)
    assert "double" in _rules(story)


def test_a_second_attempt_is_no_double() -> None:
    story = a_good_one()
    story.start(TICK.name, 50.6, due=50, attempt=2)
    assert _rules(story) == []


def test_each_process_has_its_own_occurrences_of_scope_replica() -> None:
    story = a_good_one()
    for pid in (1, 2):
        story.start(PULSE.name, 50.5, pid=pid, term=None)
    assert _rules(story) == []


def test_one_process_may_not_start_its_own_occurrence_twice_either() -> None:
    story = a_good_one()
    for at in (50.5, 50.6):
        story.start(PULSE.name, at, due=50, term=None)
    assert _rules(story) == ["double"]


# Gaps

BESIDE = replace(TICK, name="beside", catch_up="once")


def test_a_silence_without_a_cause_is_seen() -> None:
    story = a_good_one()
    story.loses(TICK.name, 20, 33)
    assert _texts(story) == ["tick (every 1 s) did not start for 14.0 s"]


def test_a_silence_that_lasts_until_the_end_is_seen() -> None:
    story = a_good_one()
    story.loses(TICK.name, 80, 100)
    assert _rules(story) == ["gap"]


def test_a_task_that_never_starts_is_seen() -> None:
    story = a_good_one()
    story.loses(TICK.name, 0, 100)
    assert _rules(story) == ["gap"]


def test_a_silence_of_the_lease_is_what_the_death_of_the_leader_costs() -> None:
    story = a_good_one()
    story.happens(What.KILLED, 26.0, 1)
    story.loses(TICK.name, 26, 37)
    story.is_led_by(2, 2, since=37.0)
    assert _rules(story) == []


def test_its_death_does_not_excuse_the_silence_before() -> None:
    story = a_good_one()
    story.happens(What.KILLED, 34.0, 1)
    story.loses(TICK.name, 20, 37)
    story.is_led_by(2, 2, since=37.0)
    assert _rules(story) == ["gap"]


def test_the_death_of_a_follower_excuses_nothing() -> None:
    story = a_good_one()
    story.happens(What.KILLED, 26.0, 2)
    story.loses(TICK.name, 20, 33)
    assert _rules(story) == ["gap"]


def test_whoever_took_over_may_be_hit_as_well_and_the_wait_begins_anew() -> None:
    story = a_good_one()
    story.happens(What.STOPPED, 20.9, 1)
    story.happens(What.RESUMED, 40.0, 1)
    story.leads_from(29.0, 2, 2)
    story.happens(What.STOPPED, 30.0, 2)
    story.happens(What.RESUMED, 45.0, 2)
    story.loses(TICK.name, 21, 46)
    story.is_led_by(1, 3, since=46.0)
    assert _rules(story) == []


def test_the_time_in_which_nobody_was_able_does_not_count() -> None:
    story = a_good_one()
    story.happens(What.DATABASE_DOWN, 21.0)
    story.happens(What.DATABASE_UP, 60.0)
    story.loses(TICK.name, 21, 69)
    story.loses(CLAIMED.name, 21, 69)
    assert "gap" not in _rules(story)


def test_a_silence_after_everybody_is_able_again_does() -> None:
    story = a_good_one()
    story.happens(What.DATABASE_DOWN, 21.0)
    story.happens(What.DATABASE_UP, 40.0)
    story.loses(TICK.name, 21, 53)
    assert _rules(story) == ["gap"]


def test_faults_again_and_again_do_not_hide_a_task_that_is_passed_over() -> None:
    other = replace(TICK, name="other")
    story = a_good_one(other)
    for at in (25.0, 32.0, 39.0):
        story.happens(What.SESSIONS, at, 1)
    story.loses(TICK.name, 20, 45)
    assert _texts(story) == ["tick (every 1 s) did not start for 26.0 s"]


def _cut_off_again_and_again() -> Story:
    """The database does not answer the leader for four seconds in six; what needs no answer goes on."""
    story = a_good_one(BESIDE)
    for at in range(15, 45, 6):
        story.happens(What.CUT, at, 1)
        story.happens(What.HEALED, at + 4, 1)
    return story


def test_a_claim_that_the_database_did_not_decide_is_not_passed_over() -> None:
    story = _cut_off_again_and_again()
    story.loses(BESIDE.name, 20, 40)
    assert "gap" not in _rules(story)


def test_what_needs_no_answer_is() -> None:
    story = _cut_off_again_and_again()
    story.loses(TICK.name, 20, 40)
    assert "gap" in _rules(story)


# Left out


def test_an_occurrence_that_was_to_be_caught_up_on_and_was_not_is_seen() -> None:
    story = a_good_one()
    story.loses(CLAIMED.name, 45, 55)
    assert _texts(story) == ["claimed left out 1 occurrences"]


def test_one_that_was_claimed_and_lost_with_its_process_is_in_history_and_forgiven() -> None:
    story = a_good_one()
    lost = next(start for start in story.starts if start.task == CLAIMED.name and start.at == 50.5)
    story.loses(CLAIMED.name, 45, 55)
    story.rows.append(row_of(lost, status="abandoned"))
    story.happens(What.STOPPED, 50.4, 1)
    story.happens(What.RESUMED, 50.8, 1)
    assert _rules(story) == []


# Terms


def test_a_start_without_a_term_is_seen() -> None:
    story = a_good_one()
    story.start(TICK.name, 50.7, attempt=2, term=None)
    assert _texts(story) == ["1 starts have none"]


def test_a_term_of_two_processes_is_seen() -> None:
    story = a_good_one()
    story.start(TICK.name, 50.7, attempt=2, pid=2)
    assert _texts(story) == ["term 1 belongs to 2 processes"]


def _replaced() -> Story:
    """Process 1 is stopped at 20, and 2 leads."""
    story = a_good_one()
    story.happens(What.STOPPED, 20.8, 1)
    story.is_led_by(2, 2, since=21.0)
    return story


def test_a_start_in_a_term_that_is_over_is_seen() -> None:
    story = _replaced()
    story.happens(What.RESUMED, 38.0, 1)
    story.start(TICK.name, 40.7, attempt=2)
    assert _texts(story) == ["a start 19.20 s after its term was over"]


def test_but_not_that_of_a_process_stopped_on_the_way_to_its_first_line() -> None:
    story = _replaced()
    story.happens(What.RESUMED, 40.6, 1)
    story.start(TICK.name, 40.7, due=20, attempt=2)
    assert _rules(story) == []


# Processes


def _handed_over(at: float) -> Story:
    story = a_good_one()
    story.happens(What.TOLD, 20.6, 1)
    story.happens(What.EXITED, 21.0, 1)
    story.loses(TICK.name, 20.6, at)
    story.is_led_by(2, 2, since=at)
    return story


def test_a_leader_that_hands_over_slowly_is_seen() -> None:
    assert _rules(_handed_over(24.0)) == ["handover"]
    assert _rules(_handed_over(21.0)) == []


def test_how_long_a_takeover_took_is_measured() -> None:
    (takeover,) = takeovers(_handed_over(21.0).evidence(), What.TOLD)
    assert takeover.seconds is not None
    assert round(takeover.seconds, 1) == 0.9


def test_a_handover_to_nobody_takes_no_time() -> None:
    story = _handed_over(40.0)
    story.happens(What.STOPPED, 15.0, 2)
    story.happens(What.RESUMED, 39.0, 2)
    assert "handover" not in _rules(story)


def test_a_process_that_does_not_come_to_work_is_seen() -> None:
    story = a_good_one()
    story.happens(What.STARTED, 50.0, 3)
    assert _texts(story) == ["r3/3 was not at work 20 s after its start"]


def test_a_process_that_ends_by_itself_is_seen() -> None:
    story = a_good_one()
    story.happens(What.EXITED, 50.0, 2)
    assert _texts(story) == ["r2/2 ended by itself"]
