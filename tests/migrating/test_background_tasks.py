"""From django-background-tasks: the rows that repeat as tasks, and a month of both."""

from datetime import timedelta

import pytest

from tests.migrating.side_by_side import HERE, Month, SideBySide, in_process

MONTHS = (
    Month(
        span=("2026-03-10T12:00", "2026-04-10T12:00"),
        outages=(("2026-03-20T22:10", "2026-03-22T09:10"),),
    ),
)


@pytest.fixture(scope="module")
def month() -> SideBySide:
    theirs = in_process("background_site", HERE / "background_site" / "theirs.py", months=MONTHS)
    ours = in_process(
        "background_site", HERE / "way_over.py", "django-background-tasks", "shop.tasks:make_rows", months=MONTHS
    )
    calls = {task["name"]: task["call"] for task in ours["told"]["tasks"]}
    return SideBySide(
        months=MONTHS,
        theirs=theirs,
        ours=ours,
        tasks_of=lambda label: {name for name, call in calls.items() if f".{label}.now(" in call},
        step=timedelta(seconds=5),
        failures_matter_for=timedelta(days=31),
    )


def test_the_table_says_why_one_of_them_runs_when_the_other_does_not_and_says_no_more(month: SideBySide) -> None:
    assert len(month.labels) == 6
    assert [month.unexplained(label) for label in month.labels if month.unexplained(label)] == []
    assert month.idle() == []


def test_jobs_and_rows_without_a_function_are_left_out_with_the_reason(month: SideBySide) -> None:
    told = month.ours["told"]
    assert [(left["name"], left["source"], left["problem"][:23]) for left in told["left_out"]] == [
        ("shop.tasks.gone", "row 10 of background_task", "no module has this func"),
        (
            "shop.tasks.later",
            "row 11 of background_task",
            "its arguments cannot be",
        ),
        ("shop.tasks.order", "3 rows of background_task", "to be done once, at 202"),
    ]
