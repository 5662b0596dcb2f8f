"""From Celery beat: its rows and entries as tasks, and a month of both."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from asyncsched.migrating.found import Topic
from tests.migrating.side_by_side import HERE, Month, SideBySide, in_process

SITE = "celery_site"
MONTHS = (
    Month(span=("2027-03-01T00:00:30", "2027-04-01T00:00:30"), outages=(("2027-03-10T11:00", "2027-03-11T14:00:05"),)),
    Month(span=("2027-10-30T12:00:30", "2027-11-01T12:00:30")),
)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SideBySide]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE", str(tmp_path_factory.mktemp("beat") / "database.sqlite3"))
        ours = in_process(SITE, HERE / "way_over.py", "celery-beat", "rows:make", months=MONTHS)
        theirs = in_process(SITE, HERE / SITE / "beat.py", months=MONTHS)
        yield SideBySide(
            months=MONTHS, theirs=theirs, ours=ours, tasks_of=lambda label: {label}, step=timedelta(seconds=1)
        )


def test_in_a_month_of_both_each_run_that_only_one_has_is_explained_and_each_difference_is_seen(
    month: SideBySide,
) -> None:
    assert len(month.labels) == 18
    assert {label: month.unexplained(label) for label in month.labels if month.unexplained(label)} == {}
    # Beat sends and looks no further: how often a worker tries is not in its month.
    assert set(month.idle()) <= {Topic.AFTER_FAILURE}


def test_rows_are_read_with_all_that_they_say(month: SideBySide) -> None:
    told = month.ours["told"]
    tasks = {task["name"]: task for task in told["tasks"]}
    assert tasks["two days"]["options"]["catch_up_window"] == "timedelta(seconds=3600)"
    assert tasks["paused"]["options"]["enabled"] == "False"
    assert tasks["in london"]["schedule"] == 'Cron("30 1 * * SUN", tz="Europe/London")'
    assert tasks["from the 15th"]["conditions"] == ["not before 2027-03-15 00:00 UTC"]
    assert tasks["until the 20th"]["conditions"] == ["before 2027-03-20 00:00 UTC"]
    assert {one["name"]: one["problem"][:20] for one in told["left_out"]} == {
        "too often": "no schedule here can",
        "once": "it is to run once: c",
        "clocked": "it is for one moment",
        "at dawn": "the sun's times are ",
        "at sunset": "the sun's times are ",
        "elsewhere": "the app here has no ",
        "by value": "its argument <object",
        "garbled": "its arguments are no",
        "by the list": "its arguments are no",
        "at minute 99": "its schedule cannot ",
    }
    assert "four a day" in tasks  # which add_periodic_task added
