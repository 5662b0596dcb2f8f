"""How the page of a task says what its options are."""

from datetime import timedelta

import pytest

from asyncsched import CatchUp, Cron, DailyAt, Every, Retry
from asyncsched.definition import definition
from tests.engine.conftest import make_task


def says(schedule=None, **options):
    return dict(definition(make_task(schedule=schedule or Every(300), **options)))


def test_the_schedule_is_in_words():
    assert says(DailyAt(3, tz="Europe/Berlin"))["Schedule"] == "daily at 03:00 Europe/Berlin"


def test_where_it_runs():
    assert says()["Runs"] == "once, in the process that leads; on the event loop"
    assert says(scope="replica", is_async=False)["Runs"] == "in every process; in a thread"


@pytest.mark.parametrize(
    ("overlap", "words"),
    [("skip", "is skipped"), ("queue", "the latest one runs afterwards"), ("allow", "up to 4 runs at once")],
)
def test_what_becomes_of_overlaps(overlap, words):
    assert words in says(overlap=overlap)["Overlap"]


def test_what_is_caught_up_on_and_for_how_long():
    assert says(catch_up=CatchUp.ONCE, catch_up_window=timedelta(hours=6))["Catching up"] == (
        "of missed occurrences the latest runs, if it is not older than 6 h"
    )
    assert says(catch_up=CatchUp.NONE)["Catching up"] == "what was missed is not made up for"


def test_its_limits():
    said = says(timeout=90, retry=Retry(attempts=4, delay=5), suspend_after=3, suspend_for=600)

    assert said["Timeout"] == "1 min 30 s"
    assert said["Retries"] == "3 more attempts, after 5 s, then 2 times as long, at most 5 min"
    assert said["After failures"] == "after 3 failures in a row it rests for 10 min, and longer each time"


def test_a_task_without_limits_says_so():
    said = says()

    assert [said[name] for name in ("Timeout", "Retries", "After failures", "Condition")] == [
        "none",
        "none",
        "it goes on",
        "none",
    ]


def test_whether_it_has_a_condition_and_other_ways_to_run():
    said = definition(make_task(enabled_when=lambda: True, run_on_start=True, rerun_abandoned=True))

    assert ("Condition", "its enabled_when is asked before each run") in said
    assert [text for name, text in said if name == "Besides"] == [
        "it also runs when the scheduler starts",
        "if its process dies in the middle of a run, the next one runs the occurrence again",
    ]


@pytest.mark.parametrize(
    ("history", "words"),
    [
        ("all", "every run has a row"),
        ("summary", "the successes of a minute share a row; what is worth a look has its own"),
        ("failures", "only failures and stalls are kept"),
        ("none", "no runs are kept"),
    ],
)
def test_what_history_keeps(history, words):
    assert says(Every(2), history=history)["History"] == words


def test_where_its_code_is():
    assert says()["Code"].endswith("(do_nothing)")


def test_a_cron_expression_is_explained():
    assert says(Cron("*/15 8-18 * * MON-FRI"))["Schedule"].startswith("every 15th minute")


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (None, "when a success is late by as long as its period, but 5 min to 1 h"),
        (5400, "when a success is late by 1 h 30 min"),
        (float("inf"), "none"),
    ],
)
def test_when_it_raises_an_alert(after, words):
    assert says(alert_after=after)["Alert"] == words
