"""From APScheduler 3: the jobs of its stores and schedulers as tasks, and a month of both."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from asyncsched.migrating.found import Topic
from tests.migrating.side_by_side import HERE, Month, SideBySide, in_process

SITE = "apscheduler_site"
MONTHS = (
    Month(
        span=("2027-03-01T00:00:30", "2027-04-01T00:00:30"), outages=(("2027-03-10T11:59:50", "2027-03-10T12:00:20"),)
    ),
    Month(span=("2027-10-29T12:00:30", "2027-11-04T12:00:30"), outages=(("2027-10-31T23:00", "2027-11-02T08:00"),)),
)


@pytest.fixture
def month(tmp_path: Path) -> Iterator[SideBySide]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE", str(tmp_path / "database.sqlite3"))
        ours = in_process(SITE, HERE / "way_over.py", "apscheduler", "theirs:add", months=MONTHS)
        theirs = in_process(SITE, HERE / SITE / "theirs.py", months=MONTHS)
        yield SideBySide(
            months=MONTHS, theirs=theirs, ours=ours, tasks_of=lambda label: {label}, step=timedelta(seconds=60)
        )


def test_in_a_month_of_both_each_run_that_only_one_has_is_explained_and_each_difference_is_seen(
    month: SideBySide,
) -> None:
    assert len(month.labels) == 20
    assert {label: month.unexplained(label) for label in month.labels if month.unexplained(label)} == {}
    # Nowhere in these months does a process that is up stand still for more than a second, and less than a minute.
    assert month.idle() == [Topic.MISSED]
