"""What comes next: the occurrences of all tasks, and all of them up to a moment if that is asked for."""

import io
import json
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from django.core.management import call_command
from django.utils import timezone

from asyncsched import Cron, DailyAt, Every
from asyncsched.management.upcoming import upcoming
from tests.engine.conftest import make_task

NOW = datetime(2026, 10, 24, 12, tzinfo=UTC)


def test_occurrences_are_in_order_and_begin_after_now() -> None:
    tasks = [make_task(schedule=Every(1800), name="a"), make_task(schedule=DailyAt(13), name="b")]
    coming = upcoming(tasks, NOW, NOW + timedelta(hours=1.5))
    assert [(run.task, run.scheduled_for.strftime("%H:%M")) for run in coming] == [
        ("a", "12:30"),
        ("a", "13:00"),
        ("b", "13:00"),
        ("a", "13:30"),
    ]


def test_jitter_and_a_run_on_start_are_no_part_of_it() -> None:
    task = make_task(schedule=Every(60, jitter=20), run_on_start=True)
    coming = upcoming([task], NOW, NOW + timedelta(minutes=2))
    assert [run.scheduled_for for run in coming] == [NOW + timedelta(minutes=n) for n in (1, 2)]
    assert [run.started_at for run in coming] == [run.scheduled_for for run in coming]


def test_what_is_rare_is_found_however_far_away() -> None:
    (first, second) = islice(upcoming([make_task(schedule=Cron("0 0 29 2 *"))], NOW), 2)
    assert [first.scheduled_for.year, second.scheduled_for.year] == [2028, 2032]


def test_nothing_comes_before_now() -> None:
    assert not upcoming([make_task()], NOW, NOW - timedelta(days=1))


@pytest.mark.django_db
class TestCommand:
    def test_until_alone_shows_all_that_comes_up_to_then(self) -> None:
        until = timezone.now() + timedelta(minutes=3)
        shown, remark = call("--until", until.isoformat(), "--json")
        moments = [datetime.fromisoformat(one["scheduled_for"]) for one in json.loads(shown)]
        assert 150 < len(moments) < 200
        assert until - timedelta(seconds=5) < moments[-1] <= until
        assert not remark

    def test_a_list_that_is_too_long_is_cut_and_says_so(self) -> None:
        until = timezone.now() + timedelta(days=30)
        shown, remark = call("--until", until.isoformat(), "--json")
        assert len(json.loads(shown)) == 10_000
        assert remark == "Cut after 10000: more are to come until then.\n"

    def test_a_count_that_was_asked_for_is_no_cut(self) -> None:
        until = timezone.now() + timedelta(days=30)
        shown, remark = call("--until", until.isoformat(), "--count", "20", "--json")
        assert len(json.loads(shown)) == 20
        assert not remark


def call(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("async_tasks", "next", *arguments, stdout=out, stderr=err, no_color=True)
    return out.getvalue(), err.getvalue()
