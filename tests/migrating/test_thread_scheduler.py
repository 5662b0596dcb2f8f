"""From a scheduler with a thread for each task: what it has registered as tasks, and two months of both."""

from datetime import timedelta

import pytest

from tests.migrating.side_by_side import HERE, Month, SideBySide, in_process

MONTHS = (
    Month(
        span=("2026-03-10T12:00", "2026-04-10T12:00"),
        outages=(("2026-03-20T23:10", "2026-03-21T09:10"),),
    ),
    Month(
        span=("2026-10-05T12:00", "2026-11-05T12:00"),
        outages=(("2026-10-10T23:10", "2026-10-11T09:10"),),
    ),
)


@pytest.fixture(scope="module")
def months() -> SideBySide:
    return SideBySide(
        months=MONTHS,
        theirs=in_process("thread_site", HERE / "thread_site" / "theirs.py", months=MONTHS),
        ours=in_process("thread_site", HERE / "way_over.py", "thread-scheduler", months=MONTHS),
        tasks_of=lambda label: {label},
        step=timedelta(0),
    )


def test_the_table_says_why_one_of_them_runs_when_the_other_does_not_and_says_no_more(months: SideBySide) -> None:
    assert months.labels == ["clear_carts", "close_the_day", "nightly", "refresh_prices", "sweep"]
    assert [months.unexplained(label) for label in months.labels if months.unexplained(label)] == []
    assert months.idle() == []


def test_what_is_registered_and_cannot_be_a_task_is_left_out_with_the_reason(months: SideBySide) -> None:
    told = months.ours["told"]
    assert {left["name"]: left["problem"].partition(":")[0] for left in told["left_out"]} == {
        "by hand": "no module has its function by a name",
        "lambda": "no module has its function by a name",
        "wanting": "its function is called with arguments, missing a required argument",
        "on and on": "its schedule 'always' has no seconds and no hour",
    }
    assert [task["name"] for task in told["tasks"] if task["options"] == {"enabled": "False"}] == ["inventory"]
