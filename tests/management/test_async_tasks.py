"""``manage.py async_tasks``: what it prints and how it exits."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from asyncsched import DailyAt, Every, current_run, register, registry
from asyncsched.engine.runs import RunStatus
from asyncsched.models import Lease, Replica, TaskRun, TaskState
from asyncsched.storage import claims
from tests.docs.pages import table
from tests.management.conftest import Call
from tests.support.databases import default_database

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def tasks(fresh_registry: None) -> None:
    @register("count", DailyAt(3, tz="Europe/Berlin"), description="Counts to three.")
    def count() -> int:
        for done in range(3):
            current_run().progress(done + 1, 3)
        return 3

    @register("fail", Every(300))
    async def fail() -> None:
        raise OSError("no route")

    @register("idle", Every(2), enabled_when=lambda: False)
    async def idle() -> None: ...


@pytest.fixture(autouse=True)
def no_loop_left() -> None:
    """Close the idle loop that pytest-asyncio leaves set: the command's ``asyncio.run`` would orphan it."""
    with suppress(RuntimeError):
        asyncio.get_event_loop_policy().get_event_loop().close()
    asyncio.set_event_loop(None)


class TestList:
    def test_it_shows_each_task_in_a_line(self, call: Call) -> None:
        code, text = call("list")
        header, *lines = text.splitlines()
        assert code == 0
        assert header.split("  ")[0] == "TASK"
        assert [line.split()[0] for line in lines] == ["count", "fail", "idle"]
        assert "daily at 03:00 Europe/Berlin" in lines[0]
        assert lines[0].endswith("never")

    def test_json_is_what_the_contract_says(self, call: Call) -> None:
        call("run", "fail")
        count, fail, idle = json.loads(call("list", "--json")[1])
        assert set(count) >= {
            "name", "description", "schedule", "kind", "scope", "enabled", "paused", "next_run", "last_run",
            "consecutive_failures",
        }  # fmt: skip
        assert (count["description"], count["kind"], count["last_run"]) == ("Counts to three.", "sync", None)
        assert datetime.fromisoformat(count["next_run"]).tzinfo
        assert set(fail["last_run"]) >= {"status", "scheduled_for", "started_at", "finished_at", "duration_s", "error"}
        assert (fail["last_run"]["status"], fail["last_run"]["error"]) == ("failed", "OSError: no route")
        assert fail["consecutive_failures"] == 1
        assert (idle["kind"], idle["executor"]) == ("async", "local")

    def test_a_paused_task_has_no_next_run(self, call: Call) -> None:
        TaskState.objects.create(task="count", paused=True)
        assert json.loads(call("list", "--json")[1])[0]["next_run"] is None
        assert "paused" in call("list")[1]

    def test_without_tasks_it_says_where_they_go(self, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("asyncsched.server.compose.registry", registry.Registry())
        assert "tasks.py" in call("list")[1]


class TestRun:
    def test_success_exits_0_and_is_recorded_as_manual(self, call: Call) -> None:
        code, text = call("run", "count")
        assert code == 0
        assert text.startswith("count: succeeded in ")
        assert text.rstrip().endswith(": 3")
        row = TaskRun.objects.get()
        assert (row.task, row.trigger, row.status, row.result) == ("count", "manual", "succeeded", "3")

    def test_failure_exits_1_with_the_reason(self, call: Call) -> None:
        code, text = call("run", "fail")
        assert (code, "OSError: no route" in text) == (1, True)

    def test_all_runs_all_and_exits_1_if_one_failed(self, call: Call) -> None:
        code, text = call("run", "--all", "--json")
        results = {one["task"]: one["status"] for one in json.loads(text)}
        assert code == 1
        assert results == {"count": "succeeded", "fail": "failed", "idle": "skipped"}

    def test_json_has_the_keys_of_the_reference(self, call: Call) -> None:
        (result,) = json.loads(call("run", "count", "--json")[1])
        assert list(result) == table("docs/reference/commands.md", "Key of a result").column(0)

    def test_an_unknown_name_exits_2_with_the_likely_spelling(self, call: Call) -> None:
        assert call("run", "cout") == (2, "unknown task 'cout': did you mean 'count'?")

    @pytest.mark.parametrize("arguments", [(), ("count", "--all")])
    def test_bad_usage_exits_2(self, call: Call, arguments: tuple[str, ...]) -> None:
        assert call("run", *arguments)[0] == 2

    def test_a_task_that_runs_elsewhere_exits_3(self, call: Call) -> None:
        running_elsewhere("count")
        code, text = call("run", "count")
        assert code == 3
        assert "already running elsewhere" in text

    def test_unless_forced(self, call: Call) -> None:
        running_elsewhere("count")
        assert call("run", "count", "--force")[0] == 0

    def test_a_dead_process_refuses_nothing(self, call: Call) -> None:
        running_elsewhere("count")
        TaskRun.objects.update(heartbeat_at=timezone.now() - claims.LEASE)
        assert call("run", "count")[0] == 0
        assert set(TaskRun.objects.values_list("status", flat=True)) == {RunStatus.ABANDONED, RunStatus.SUCCEEDED}

    def test_force_overrules_the_predicate(self, call: Call) -> None:
        assert "skipped" in call("run", "idle")[1]
        assert "succeeded" in call("run", "idle", "--force")[1]

    def test_a_time_limit_can_be_given(self, call: Call) -> None:
        @register("hang", Every(60))
        async def hang() -> None:
            await asyncio.Event().wait()

        code, text = call("run", "hang", "--timeout", "0.05")
        assert (code, "did not finish within 0.05 s" in text) == (1, True)

    def test_a_task_that_only_another_process_has_is_refused_and_says_where_to_run_it(self, call: Call) -> None:
        add_process("web-1:4711:aaaa", "new_report")
        code, text = call("run", "new_report")
        assert code == 2
        assert text == "task 'new_report' is known to web-1:4711 only, not to the code here: run it there"

    def test_a_parked_task_is_refused_as_such(self, call: Call) -> None:
        TaskState.objects.create(task="removed")
        assert call("run", "removed") == (
            2,
            "task 'removed' is parked: neither the code here nor any live process has it",
        )

    def test_it_counts_failures_in_a_row(self, call: Call) -> None:
        for _ in range(2):
            call("run", "fail")
        assert "2 failures in a row" in call("list")[1]


def test_a_database_that_is_not_migrated_is_said_with_the_fix(call: Call, tmp_path: Path) -> None:
    with default_database(f"sqlite:///{tmp_path / 'empty.sqlite3'}", migrate=False):
        assert call("list")[0] == 1
        assert "migrate" in call("list")[1]
        assert "migrate" in call("run", "count")[1]
        assert call("run", "cout") == (2, "unknown task 'cout': did you mean 'count'?")
        code, text = call("status")
        assert (code, "migrate" in text, text.count("\n")) == (1, True, 0)


def test_a_run_that_cannot_begin_leaves_no_thread_behind(call: Call, tmp_path: Path) -> None:
    with default_database(f"sqlite:///{tmp_path / 'empty.sqlite3'}", migrate=False):
        assert "migrate" in call("run", "count")[1]
    left = [thread for thread in threading.enumerate() if thread.name == "asyncsched-storage"]
    for thread in left:
        thread.join(10)
    assert not [thread for thread in left if thread.is_alive()]


class TestNext:
    @pytest.fixture(autouse=True)
    def a_minute_past_noon(self) -> Iterator[None]:
        """Long before the next occurrence of any task but the one that is due every two seconds."""
        with time_machine.travel(datetime(2026, 11, 23, 12, 1, tzinfo=UTC)):
            yield

    def test_it_shows_what_comes_over_all_tasks_in_order(self, call: Call) -> None:
        code, text = call("next", "--count", "4", "--json")
        coming = json.loads(text)
        assert code == 0
        assert len(coming) == 4
        assert {one["task"] for one in coming} == {"idle"}
        assert [one["scheduled_for"] for one in coming] == sorted(one["scheduled_for"] for one in coming)

    def test_it_ends_where_it_is_told(self, call: Call) -> None:
        until = timezone.now() + timedelta(days=2)
        call("pause", "idle", "fail")
        coming = json.loads(call("next", "--until", until.isoformat(), "--json")[1])
        assert [one["task"] for one in coming] == ["count", "count"]

    def test_for_people_it_is_a_table(self, call: Call) -> None:
        header, first, *_ = call("next")[1].splitlines()
        assert header.split() == ["WHEN", "TASK", "SCHEDULE"]
        assert first.endswith("idle  every 2 s")

    @pytest.mark.parametrize("arguments", [("--count", "0"), ("--count", "x"), ("--until", "tomorrow")])
    def test_bad_usage_exits_2(self, call: Call, arguments: tuple[str, str]) -> None:
        code, text = call("next", *arguments)
        assert (code, "is not a" in text) == (2, True)


class TestPause:
    def test_a_paused_task_is_shown_as_such_until_it_is_resumed(self, call: Call) -> None:
        assert call("pause", "count", "fail") == (0, "count: paused\nfail: paused\n")
        assert [one["paused"] for one in json.loads(call("list", "--json")[1])] == [True, True, False]
        assert call("resume", "count") == (0, "count: resumed\n")
        assert [one["paused"] for one in json.loads(call("list", "--json")[1])] == [False, True, False]

    def test_doing_it_twice_is_harmless(self, call: Call) -> None:
        call("pause", "count")
        assert call("pause", "count") == (0, "count: was already paused\n")
        call("resume", "count")
        assert call("resume", "count") == (0, "count: was not paused\n")

    def test_an_unknown_name_exits_2_and_pauses_none(self, call: Call) -> None:
        assert call("pause", "count", "cout")[0] == 2
        assert not TaskState.objects.filter(paused=True).exists()

    def test_a_task_of_another_process_can_be_paused_and_resumed(self, call: Call) -> None:
        add_process("web-1:4711:aaaa", "new_report")
        assert call("pause", "new_report") == (0, "new_report: paused\n")
        assert call("resume", "new_report") == (0, "new_report: resumed\n")

    def test_so_can_a_parked_one(self, call: Call) -> None:
        TaskState.objects.create(task="removed")
        assert call("pause", "removed", "count") == (0, "removed: paused\ncount: paused\n")

    def test_a_task_that_only_the_dead_knew_is_unknown(self, call: Call) -> None:
        add_process("web-1:4711:aaaa", "new_report", expired=True)
        assert call("pause", "new_report")[0] == 2

    def test_the_likely_spelling_may_be_a_task_of_another_process(self, call: Call) -> None:
        add_process("web-1:4711:aaaa", "new_report")
        assert call("pause", "new_reprot") == (2, "unknown task 'new_reprot': did you mean 'new_report'?")


def test_history_knows_a_task_of_another_process(call: Call) -> None:
    add_process("web-1:4711:aaaa", "new_report")
    assert call("history", "new_report") == (0, "No runs of new_report are recorded.\n")
    assert call("history", "new_reprot")[0] == 2


class TestStatus:
    def test_it_exits_with_1_and_the_reason_where_nothing_runs(self, call: Call) -> None:
        code, text = call("status")
        assert (code, text.splitlines()[0]) == (1, "NOT healthy: no process runs the scheduler: start a server")
        assert [line.split()[0] for line in text.splitlines()[2:]] == ["TASK", "count", "fail", "idle"]

    def test_it_exits_with_0_where_a_process_leads(self, call: Call) -> None:
        add_process("web-1:4711:aaaa", "count", "fail", "idle")
        Lease.objects.create(name="scheduler", term=1, holder="web-1:4711:aaaa", since=timezone.now())
        code, text = call("status")
        assert code == 0
        assert text.startswith("healthy: 1 process, web-1:4711 leads since ")

    def test_for_programs_it_is_an_object_whatever_the_verdict(self, call: Call) -> None:
        code, text = call("status", "--json")
        shown = json.loads(text)
        assert (code, shown["healthy"], len(shown["reasons"])) == (1, False, 1)
        assert [(task["name"], task["state"]) for task in shown["tasks"]] == [
            ("count", "unserved"), ("fail", "unserved"), ("idle", "unserved")
        ]  # fmt: skip

    def test_a_run_by_hand_is_seen(self, call: Call) -> None:
        add_process("web-1:4711:aaaa", "count", "fail", "idle")
        running_elsewhere("count")
        count = json.loads(call("status", "--json")[1])["tasks"][0]
        assert (count["state"], count["running_on"]) == ("running", ["elsewhere"])


class TestAlerts:
    """What overdue is, and who is told: tests of ``asyncsched.alerts``."""

    @pytest.fixture(autouse=True)
    def nothing_succeeded_lately(self) -> None:
        """A process ran the tasks until it died an hour ago; ``fail`` had not succeeded for two hours by then."""
        for ago, name in ((10, "idle"), (2 * 3600, "fail")):
            at = timezone.now() - timedelta(seconds=ago)
            TaskState.objects.create(
                task=name, last_success_at=at, last_status="succeeded", last_finished_at=at, last_duration=0.1
            )
        add_process("web-1:4711:aaaa", "count", "fail", "idle", expired=True)
        long_ago = timezone.now() - timedelta(hours=1)
        Replica.objects.update(started_at=long_ago - timedelta(days=9), seen_at=long_ago, expires_at=long_ago)

    def test_they_are_raised_although_no_process_lives_and_listed_among_the_reasons(self, call: Call) -> None:
        code, text = call("status", "--alert")
        assert code == 1
        assert "NOT healthy: fail has not succeeded in time: every 5 min, expected by " in text
        assert "NOT healthy: idle" not in text
        assert TaskState.objects.get(task="fail").alerted_at is not None
        assert any(
            "fail has not succeeded" in reason
            for reason in json.loads(call("status", "--alert", "--json")[1])["reasons"]
        )

    def test_a_look_that_is_not_asked_for_raises_none(self, call: Call) -> None:
        assert "has not succeeded" not in call("status")[1]
        assert not TaskState.objects.exclude(alerted_at=None).exists()


def add_process(replica: str, *tasks: str, expired: bool = False) -> None:
    now = timezone.now()
    Replica.objects.create(
        replica=replica,
        version="1.0",
        tasks={task: {"schedule": "every 5 min", "scope": "cluster", "enabled": True} for task in tasks},
        started_at=now,
        seen_at=now,
        expires_at=now if expired else now + timedelta(seconds=20),
    )


def running_elsewhere(name: str) -> Any:
    from asyncsched.engine.runs import Occurrence

    now = timezone.now()
    task = registry.registry.get(name)
    return claims.claim(task, Occurrence(task=name, scheduled_for=now), replica="elsewhere", now=now)
