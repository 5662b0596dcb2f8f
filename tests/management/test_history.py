"""``manage.py async_tasks history``: what ran, and why the rest did not."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from asyncsched import DailyAt, Every, History, register
from asyncsched.management.parser import since
from asyncsched.management.subcommands.past import LIMIT
from asyncsched.models import TaskRun, TaskSkip
from tests.management.conftest import Call

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def tasks(fresh_registry: None) -> None:
    @register("nightly", DailyAt(3))
    def nightly() -> None: ...

    @register("often", Every(2))
    async def often() -> None: ...

    @register("worst", Every(2), history=History.FAILURES)
    async def worst() -> None: ...

    @register("secret", Every(2), history=History.NONE)
    async def secret() -> None: ...


@pytest.fixture
def call(call: Call, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setenv("COLUMNS", "120")
    return partial(call, "history")


def run(task: str = "nightly", ago: float = 0, **facts: Any) -> None:
    """Keep a run that started *ago* hours before now."""
    at = timezone.now() - timedelta(hours=ago)
    defaults = {"scheduled_for": at, "started_at": at, "duration": 0.0123, "status": "succeeded", "trigger": "schedule"}
    TaskRun.objects.create(run_id=uuid.uuid4(), task=task, replica="here", **(defaults | facts))


def skip(task: str = "nightly", ago: float = 0, reason: str = "overlap", count: int = 1, lasted: float = 0) -> None:
    """Keep that *count* occurrences did not run, the last *ago* hours before now, the first *lasted* hours earlier."""
    at = timezone.now() - timedelta(hours=ago)
    first = at - timedelta(hours=lasted)
    TaskSkip.objects.create(task=task, reason=reason, first_scheduled_for=first, last_scheduled_for=at, count=count)


class TestRuns:
    def test_each_is_a_line_newest_first(self, call: Call) -> None:
        run(ago=2, result="12 deleted")
        run("often", ago=1, status="failed", error="OSError: no route")
        code, text = call()
        header, newest, oldest = text.splitlines()
        assert code == 0
        assert header.split() == ["STARTED", "TASK", "STATUS", "TOOK", "DETAILS"]
        assert newest.split()[3:] == ["often", "failed", "12.3", "ms", "OSError:", "no", "route"]
        assert oldest.endswith("nightly  succeeded  12.3 ms  12 deleted")

    @pytest.mark.parametrize(
        ("facts", "details"),
        [
            ({"trigger": "manual"}, "by hand"),
            ({"trigger": "catch_up", "lateness": 7200.0}, "caught up; 7200.0 s late"),
            ({"attempt": 3, "error": "no"}, "no; attempt 3"),
            (
                {"stall_seconds": 0.4, "stall_where": "a/b.py:3 (f)"},
                "blocked the event loop for 400.0 ms at a/b.py:3 (f)",
            ),
            ({"status": "skipped"}, "its enabled_when said no"),
            ({"lateness": 0.01}, "12.3 ms"),
        ],
    )
    def test_the_details_tell_what_was_out_of_the_ordinary(
        self, call: Call, facts: dict[str, Any], details: str
    ) -> None:
        run(**facts)
        assert call()[1].splitlines()[1].endswith(details)

    def test_a_long_error_is_cut_to_the_width_of_the_terminal(self, call: Call) -> None:
        run(status="failed", error="no\nway \x1b[31mout " * 50)
        _, line = call()[1].splitlines()
        assert len(line) == 120
        assert line.endswith("…")
        assert line.isprintable()

    def test_a_run_that_is_going_on_took_no_time_yet(self, call: Call) -> None:
        run(status="running", duration=None)
        assert call()[1].splitlines()[1].split()[-2:] == ["running", "-"]

    def test_they_are_found_by_name_status_and_time(self, call: Call) -> None:
        run(ago=1)
        run(ago=30, status="failed")
        run("often", ago=1, status="failed")
        found = {
            arguments: [(one["task"], one["status"]) for one in json.loads(call(*arguments, "--json")[1])]
            for arguments in [("nightly",), ("--status", "failed"), ("nightly", "--since", "1d")]
        }
        assert found == {
            ("nightly",): [("nightly", "succeeded"), ("nightly", "failed")],
            ("--status", "failed"): [("often", "failed"), ("nightly", "failed")],
            ("nightly", "--since", "1d"): [("nightly", "succeeded")],
        }

    def test_it_says_that_there_are_more_and_how_to_see_them(self, call: Call) -> None:
        for ago in range(LIMIT):
            run(ago=ago)
        assert len(call()[1].splitlines()) == LIMIT + 1
        run(ago=LIMIT)
        *lines, hint = call()[1].splitlines()
        assert len(lines) == LIMIT + 1
        assert hint == "The latest 20 are shown; --limit 200 shows more."
        assert len(call("--limit", "200")[1].splitlines()) == LIMIT + 2

    def test_json_has_all_that_is_known(self, call: Call) -> None:
        run(status="failed", error="no " * 100, lateness=0.5, stall_seconds=0.4, stall_where="a/b.py:3 (f)")
        (one,) = json.loads(call("--json")[1])
        assert (one["error"], one["duration_s"], one["lateness_s"]) == ("no " * 100, 0.0123, 0.5)
        assert one["stall"] == {"seconds": 0.4, "where": "a/b.py:3 (f)"}
        assert datetime.fromisoformat(one["started_at"]).tzinfo

    def test_nothing_is_said_in_words(self, call: Call) -> None:
        assert call() == (0, "No runs are recorded.\n")
        assert call("nightly", "--status", "failed")[1] == "No runs of nightly with status failed are recorded.\n"
        assert call("--since", "2026-11-23T12:00Z")[1] == "No runs since 2026-11-23 12:00:00 UTC.\n"

    def test_runs_that_share_a_row_are_told_with_their_number_and_the_longest(self, call: Call) -> None:
        run("often", count=30, lateness=2.5)
        header, line, _ = call("often")[1].splitlines()
        assert line.endswith("often  succeeded ×30  ≤ 12.3 ms  up to 2.5 s late")
        assert header.index("TOOK") == line.index("≤")
        assert json.loads(call("--json")[1])[0]["count"] == 30

    def test_it_says_so_if_not_every_run_of_the_task_has_a_row(self, call: Call) -> None:
        assert "of a minute share a row" in call("often")[1]
        assert "only failures" in call("worst")[1]
        assert "no runs are kept" in call("secret")[1]
        assert "kept" not in call("nightly")[1]


class TestHintAtSkips:
    def test_it_counts_what_did_not_run_and_says_how_to_see_why(self, call: Call) -> None:
        run()
        skip(ago=1, count=3)
        skip("often")
        *_, hint = call("nightly")[1].splitlines()
        assert hint == "3 occurrences did not run; why: manage.py async_tasks history nightly --skipped"

    def test_only_in_the_time_that_is_looked_at(self, call: Call) -> None:
        run(ago=1)
        run(ago=20)
        skip(ago=2)
        skip(ago=0.5)
        assert "did not run" not in call("nightly", "--since", "10min")[1]
        *_, hint = call("nightly", "--limit", "1")[1].splitlines()
        assert hint.startswith("1 occurrence did not run; ")
        since = hint.split("--since ")[1]
        assert len(json.loads(call("nightly", "--skipped", "--json", "--since", since)[1])) == 1

    def test_there_is_none_without_a_name_or_without_skips(self, call: Call) -> None:
        run()
        assert "did not run" not in call("nightly")[1]
        skip()
        assert "did not run" not in call()[1]


class TestSkipped:
    def test_each_line_says_why_in_words(self, call: Call) -> None:
        skip(ago=3, reason="paused")
        skip("often", ago=2, reason="clock_step", count=12, lasted=0.5)
        run("often", ago=1, status="skipped")
        code, text = call("--skipped")
        header, predicate, step, paused = text.splitlines()
        assert code == 0
        assert header.split() == ["LAST", "FIRST", "TASK", "COUNT", "WHY"]
        assert predicate.endswith("often    1      its enabled_when said no")
        assert step.endswith("often    12     the wall clock jumped over it")
        assert step.count("UTC") == 2
        assert paused.endswith("nightly  1      the task was paused")

    def test_of_one_task_since(self, call: Call) -> None:
        skip(ago=3)
        skip(ago=30)
        skip("often")
        assert len(call("nightly", "--skipped", "--since", "1d")[1].splitlines()) == 2

    def test_json_has_the_reason_for_programs(self, call: Call) -> None:
        skip(reason="misfire", count=2, lasted=1)
        (one,) = json.loads(call("--skipped", "--json")[1])
        assert (one["task"], one["reason"], one["count"]) == ("nightly", "misfire", 2)
        assert one["why"] == "it was missed, and too late to catch up on"
        last, first = (datetime.fromisoformat(one[f"{which}_scheduled_for"]) for which in ("last", "first"))
        assert last - first == timedelta(hours=1)

    def test_it_says_that_there_are_more(self, call: Call) -> None:
        for ago in range(3):
            skip(ago=ago)
        assert call("--skipped", "--limit", "2")[1].splitlines()[-1] == "The latest 2 are shown; --limit 20 shows more."

    def test_nothing_is_said_in_words(self, call: Call) -> None:
        assert call("nightly", "--skipped") == (0, "No skipped occurrences of nightly are recorded.\n")


class TestName:
    def test_one_that_nobody_knows_exits_2_with_the_likely_one(self, call: Call) -> None:
        assert call("nigthly") == (2, "unknown task 'nigthly': did you mean 'nightly'?")

    @pytest.mark.parametrize("remember", [run, skip])
    def test_one_that_is_registered_no_more_is_found_in_history(
        self, call: Call, remember: Callable[[str], None]
    ) -> None:
        remember("gone")
        assert call("gone")[0] == 0
        assert call("gone", "--skipped")[0] == 0


class TestBadUsage:
    @pytest.mark.parametrize(
        ("arguments", "fix"),
        [
            (("--since", "yesterday"), "90s, 30min, 12h, 1d or 2w"),
            (("--since", "5m"), "90s, 30min, 12h, 1d or 2w"),
            (("--since", ""), "90s, 30min, 12h, 1d or 2w"),
            (("--since", f"{'9' * 400}d"), "90s, 30min, 12h, 1d or 2w"),
            (("--status", "broken"), "failed"),
            (("--limit", "0"), "from 1 to 10000"),
            (("--limit", "²"), "from 1 to 10000"),
            (("--limit", "9" * 5000), "from 1 to 10000"),
            (("--limit", "many"), "from 1 to 10000"),
            (("--skipped", "--status", "failed"), "say one"),
        ],
    )
    def test_it_exits_2_with_one_line_that_says_what_is_right(
        self, call: Call, arguments: tuple[str, ...], fix: str
    ) -> None:
        code, text = call(*arguments)
        assert code == 2
        assert fix in text
        assert len(text.splitlines()) == 1

    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("90s", NOON - timedelta(seconds=90)),
            ("30min", NOON - timedelta(minutes=30)),
            ("1.5h", NOON - timedelta(minutes=90)),
            ("1d", NOON - timedelta(days=1)),
            ("2w", NOON - timedelta(days=14)),
            ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
            ("2026-11-22T03:00+01:00", datetime(2026, 11, 22, 2, tzinfo=UTC)),
        ],
    )
    def test_since_takes_lengths_and_times(self, text: str, moment: datetime) -> None:
        assert since(text, NOON) == moment
