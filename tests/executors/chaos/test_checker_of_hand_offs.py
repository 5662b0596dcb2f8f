"""The checker is shown what it must see, in evidence made by hand."""

from dataclasses import replace
from typing import Any

import pytest

from tests.executors.chaos.checker import Evidence, Note, Row, check

ROW = Row(run_id="a", task="long", due="noon", attempt=1, status="succeeded", error="", started_at=1001.0)
BEGAN = Note(run_id="a", event="began", at=1.0, process=7, task="long", due="noon", attempt=1, worker="w1")
ENDED = replace(BEGAN, event="ended", at=5.0)
TOLD = replace(ENDED, told_to_stop=True)
LATER = replace(ROW, run_id="b", due="one")
BEGAN_LATER, ENDED_LATER = (replace(note, run_id="b", due="one", at=note.at + 10) for note in (BEGAN, ENDED))


def rules(*notes: Note, rows: tuple[Row, ...] = (ROW,), **unsound: Any) -> list[str]:
    """Return which rules are violated by that evidence."""
    evidence = Evidence(notes=notes, rows=rows, unsound=unsound, healed_at=1000.0, recovery=60.0)
    return sorted({violation.rule for violation in check(evidence)})


def ended(status: str, error: str = "") -> tuple[Row, ...]:
    """Return rows of which the first says so, and the last that all is well again."""
    return replace(ROW, status=status, error=error, started_at=900.0), LATER


def test_what_goes_well_violates_nothing() -> None:
    assert rules(BEGAN, ENDED, BEGAN_LATER, ENDED_LATER, rows=(ROW, LATER)) == []


def test_a_run_or_an_attempt_that_began_twice_is_seen() -> None:
    assert rules(BEGAN, BEGAN, ENDED) == ["double"]
    again = (replace(BEGAN, run_id="b", at=6.0), replace(ENDED, run_id="b", at=7.0))
    assert rules(BEGAN, ENDED, *again, rows=(ROW, replace(ROW, run_id="b"))) == ["double"]
    retry = [replace(note, attempt=2) for note in again]
    assert rules(BEGAN, ENDED, *retry, rows=(ROW, replace(ROW, run_id="b", attempt=2))) == []


@pytest.mark.parametrize("notes", [(), (BEGAN,), (BEGAN, replace(ENDED, event="failed"))])
def test_a_success_that_never_was_is_seen(notes: tuple[Note, ...]) -> None:
    assert rules(*notes) == ["lie"]


def test_a_run_that_is_not_in_history_is_seen() -> None:
    assert rules(BEGAN, ENDED, BEGAN_LATER, ENDED_LATER) == ["lie"]


@pytest.mark.parametrize("status", ["abandoned", "cancelled", "timed_out"])
def test_what_ended_well_counts_as_something_else_only_if_its_worker_was_not_sound(status: str) -> None:
    all_of_it = (BEGAN, ENDED, BEGAN_LATER, ENDED_LATER)
    assert rules(*all_of_it, rows=ended(status)) == ["lie"]
    assert rules(*all_of_it, rows=ended(status), w1=((2.0, 3.0),)) == []
    assert rules(*all_of_it, rows=ended(status), w2=((2.0, 3.0),)) == ["lie"]


def test_what_was_told_to_stop_is_over_its_time() -> None:
    assert rules(BEGAN, TOLD, BEGAN_LATER, ENDED_LATER, rows=ended("timed_out", "did not finish within 2 s")) == []


@pytest.mark.parametrize(("status", "error"), [("failed", "no worker"), ("timed_out", "found no free worker")])
def test_what_began_is_not_said_to_have_found_no_worker(status: str, error: str) -> None:
    assert rules(BEGAN, BEGAN_LATER, ENDED_LATER, rows=ended(status, error)) == ["begun"]


def test_what_is_still_running_is_seen() -> None:
    assert rules(BEGAN, BEGAN_LATER, ENDED_LATER, rows=ended("running")) == ["open"]


def test_two_at_once_are_seen_unless_the_first_was_given_up() -> None:
    at_once = (BEGAN, replace(BEGAN_LATER, at=2.0), ENDED, ENDED_LATER)
    assert rules(*at_once, rows=(ROW, LATER)) == ["overlap"]
    assert rules(*at_once, rows=ended("abandoned"), w1=((2.0, 3.0),)) == []


def test_a_task_that_no_longer_succeeds_is_seen() -> None:
    assert rules(BEGAN, ENDED, rows=(replace(ROW, started_at=900.0),)) == ["dead"]
