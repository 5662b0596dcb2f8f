"""From django-cron: the classes as tasks, and a month of both."""

from datetime import timedelta

import pytest

from tests.migrating.side_by_side import HERE, Month, SideBySide, in_process
from tests.support.programs import python_of

CALLED_EVERY = 120  # minutes
MONTHS = (
    Month(
        span=("2026-03-10T12:00", "2026-04-10T12:00"),
        outages=(("2026-03-20T22:15", "2026-03-21T00:45"),),
    ),
    Month(span=("2026-10-23T12:00", "2026-10-27T12:00")),
)


@pytest.fixture(scope="module")
def month() -> SideBySide:
    theirs = in_process(
        "cron_site",
        HERE / "cron_site" / "theirs.py",
        str(CALLED_EVERY),
        months=MONTHS,
        python=python_of(".venv-django-cron"),
    )
    ours = in_process("cron_site", HERE / "way_over.py", "django-cron", months=MONTHS)
    calls = {task["name"]: task["call"] for task in ours["told"]["tasks"]}
    return SideBySide(
        months=MONTHS,
        theirs=theirs,
        ours=ours,
        tasks_of=lambda label: {name for name, call in calls.items() if f".{label}()" in call},
        step=timedelta(minutes=2 * CALLED_EVERY),  # of two times that are due it takes one with each call
    )


def test_the_table_says_why_one_of_them_runs_when_the_other_does_not_and_says_no_more(month: SideBySide) -> None:
    assert len(month.labels) == 12
    assert [month.unexplained(label) for label in month.labels if month.unexplained(label)] == []
    assert month.idle() == []
