"""What the benchmark of clean-ups measures, and that both ways delete the same."""

import pytest

from benchmarks.cleanup import home
from benchmarks.cleanup.listener import lateness


def test_a_push_is_as_late_as_it_comes_after_its_instant():
    assert lateness([99.0, 100.25, 102.5], since=99.5, until=102.1) == [0.25, 0.5]


def test_a_push_that_never_came_is_as_late_as_the_next_one():
    assert lateness([100.25, 104.5], since=99.5, until=104.1) == [0.25, 2.5, 0.5]


def test_only_pushes_that_were_due_in_that_time_count():
    assert lateness([98.9, 100.25, 103.0], since=98.5, until=101.9) == [0.25]


@pytest.mark.django_db
def test_one_delete_takes_what_has_expired_and_leaves_the_rest():
    cookie = home.prepare(200)
    assert home.left() == 200 + home.KEPT

    home.in_one_delete()

    assert home.left() == home.KEPT
    assert cookie.startswith("sessionid=")
