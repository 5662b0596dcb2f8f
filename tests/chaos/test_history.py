"""What history lacks, and what it tells too much, is seen; what died with its process is forgiven."""

from dataclasses import replace

from tests.chaos.checker import check
from tests.chaos.records import Limits, What
from tests.chaos.story import CLAIMED, FLAKY, TICK, Story, a_good_one, row_of

LIMITS = Limits(lease=10.0, tolerance=1.0)


def _rules(story: Story) -> list[str]:
    return [violation.rule for violation in check(story.evidence(), LIMITS)]


def _texts(story: Story) -> list[str]:
    return [violation.text for violation in check(story.evidence(), LIMITS)]


def test_a_start_that_history_lacks_is_seen() -> None:
    story = a_good_one()
    story.forgets(story.start(TICK.name, 50.7, attempt=2))
    assert _texts(story) == ["tick by pid 1: 101 starts in the ledger, 100 in history, 0 may be missing"]


def test_a_row_may_stand_for_several_runs() -> None:
    story = a_good_one()
    starts = [start for start in story.starts if start.task == TICK.name and 20 < start.at < 30]
    story.forgets(*starts)
    story.rows.append(row_of(starts[3], count=len(starts)))
    assert _rules(story) == []


def test_a_row_that_counts_more_runs_than_there_were_is_seen() -> None:
    story = a_good_one()
    story.rows[5] = replace(story.rows[5], count=2)
    assert _texts(story) == ["tick by pid 1: 100 starts in the ledger, 101 in history, 0 may be missing"]


def test_a_run_that_only_history_knows_is_seen() -> None:
    story = a_good_one()
    ghost = row_of(story.start(TICK.name, 50.7, attempt=2))
    story.starts.pop()
    assert "a run that the ledger lacks" in _texts(story)
    story.rows.remove(ghost)
    story.rows.append(replace(ghost, status="abandoned"))
    assert _texts(story) == ["a run that the ledger lacks"]  # nothing had happened to its process


def test_a_row_that_tells_another_term_is_seen() -> None:
    story = a_good_one()
    story.rows[5] = replace(story.rows[5], term=7)
    assert _texts(story) == ["a row that differs from the ledger"]


def _killed() -> Story:
    """Process 1 is killed at 80, and 2 leads."""
    story = a_good_one(FLAKY)
    story.happens(What.KILLED, 80.0, 1)
    story.is_led_by(2, 2, since=80.0)
    return story


def test_a_process_that_is_killed_takes_the_successes_of_its_last_minute_with_it() -> None:
    story = _killed()
    story.forgets(*(start for start in story.starts if start.task == TICK.name and 20 < start.at < 80))
    assert _rules(story) == []


def test_but_no_more() -> None:
    story = _killed()
    story.forgets(*(start for start in story.starts if start.task == TICK.name and 10 < start.at < 80))
    assert _texts(story) == ["tick by pid 1: 80 starts in the ledger, 10 in history, 61 may be missing"]


def test_a_process_that_was_told_to_stop_writes_them_all() -> None:
    story = a_good_one()
    story.happens(What.TOLD, 80.0, 1)
    story.happens(What.EXITED, 80.2, 1)
    story.is_led_by(2, 2, since=80.3)
    story.forgets(next(start for start in story.starts if start.task == TICK.name and start.at == 79.5))
    assert _rules(story) == ["history"]


def test_unless_the_database_was_away() -> None:
    story = a_good_one()
    story.happens(What.DATABASE_DOWN, 79.0)
    story.happens(What.TOLD, 80.0, 1)
    story.happens(What.EXITED, 84.0, 1)
    story.happens(What.DATABASE_UP, 85.0)
    story.is_led_by(2, 2, since=80.3)
    story.forgets(next(start for start in story.starts if start.task == TICK.name and start.at == 79.5))
    assert _rules(story) == []


def test_a_claimed_run_has_its_row_whatever_happens() -> None:
    story = _killed()
    story.forgets(next(start for start in story.starts if start.task == CLAIMED.name and start.at == 70.5))
    assert _texts(story) == ["a claimed run without a row"]


def test_a_failed_run_has_its_row_soon() -> None:
    story = _killed()
    story.forgets(next(start for start in story.starts if start.task == FLAKY.name and start.due == 72_000_000))
    assert _texts(story) == ["a failed run without a row"]


def _killed_after_two_outages(*, between: float) -> Story:
    """The database is away twice before process 1 is killed at 80, with *between* seconds in between."""
    story = _killed()
    story.happens(What.DATABASE_DOWN, 61.0)
    story.happens(What.DATABASE_UP, 78.0 - between)
    story.happens(What.DATABASE_DOWN, 78.0)
    story.happens(What.DATABASE_UP, 79.0)
    story.forgets(next(start for start in story.starts if start.task == FLAKY.name and start.due == 64_000_000))
    return story


def test_between_two_outages_it_may_not_have_got_round_to_writing() -> None:
    assert _rules(_killed_after_two_outages(between=4.0)) == []


def test_unless_they_were_far_apart() -> None:
    assert _texts(_killed_after_two_outages(between=10.0)) == ["a failed run without a row"]


def test_what_a_killed_process_had_claimed_and_not_begun_may_be_in_history() -> None:
    story = _killed()
    ghost = row_of(story.start(TICK.name, 79.9, attempt=2), status="abandoned")
    story.starts.pop()
    story.rows[-1] = ghost
    assert _rules(story) == []
