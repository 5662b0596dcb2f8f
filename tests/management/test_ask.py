"""``async_tasks ask``: a run in the processes that run the scheduler. Beside a real server: tests/e2e."""

import json
import uuid
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from asyncsched import Every, register
from asyncsched.engine.runs import SkipReason
from asyncsched.models import Lease, TaskRun, TaskSkip, TaskState
from asyncsched.storage.asked import fate_of
from asyncsched.storage.requests import ask_run, take_up
from tests.docs.pages import table
from tests.management.conftest import Call
from tests.management.test_async_tasks import add_process

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def tasks(fresh_registry: None) -> None:
    @register("count", Every(300))
    def count() -> None: ...


@pytest.fixture
def call(call: Call) -> Call:
    return partial(call, "ask")


def answered(**outcome: Any) -> None:
    """Ask for a run of ``count``, and let it have ended as *outcome* says; the next who asks asks for the same."""
    at = ask_run("count", by="test")
    defaults = {"status": "succeeded", "duration": 0.0123, "started_at": at, "finished_at": at}
    TaskRun.objects.create(
        run_id=uuid.uuid4(), task="count", trigger="manual", scheduled_for=at, replica="web-1:4711:aa",
        **(defaults | outcome),
    )  # fmt: skip


class TestAsking:
    def test_it_is_a_row_that_says_who_asked_and_names_the_leader(self, call: Call) -> None:
        add_process("web-1:4711:aaaa", "count")
        Lease.objects.create(name="scheduler", term=1, holder="web-1:4711:aaaa", since=timezone.now())
        assert call("count") == (0, "count: asked; the process that leads, web-1:4711, begins it in about 2 s\n")
        state = TaskState.objects.get()
        assert state.run_asked_at is not None
        assert " on " in state.run_asked_by

    def test_where_no_process_lives_it_says_what_becomes_of_it(self, call: Call) -> None:
        assert call("count") == (
            0,
            "count: asked, but no process lives: if none begins it within 5 min, it is dropped\n",
        )

    def test_where_none_knows_the_task_it_says_so(self, call: Call) -> None:
        add_process("web-1:4711:aaaa", "other")
        assert "of those that live no process knows it" in call("count")[1]

    def test_the_code_here_need_not_have_the_task(self, call: Call) -> None:
        add_process("web-1:4711:aaaa", "other")
        assert call("other")[0] == 0

    def test_with_one_unknown_name_none_is_asked_for(self, call: Call) -> None:
        assert call("count", "cuont") == (2, "unknown task 'cuont': did you mean 'count'?")
        assert not TaskState.objects.exclude(run_asked_at=None).exists()

    def test_json_has_the_keys_of_the_reference(self, call: Call) -> None:
        (asked,) = json.loads(call("count", "--json")[1])
        assert list(asked) == table("docs/reference/commands.md", "Key of what was asked").column(0)
        assert asked["status"] == "asked"


class TestWaiting:
    def test_it_reports_as_run_does_and_says_where_it_ran(self, call: Call) -> None:
        answered(result="3 counted")
        assert call("count", "--wait") == (0, "count: succeeded in 12.3 ms: 3 counted (on web-1:4711)\n")

    def test_a_failure_exits_with_1(self, call: Call) -> None:
        answered(status="failed", error="OSError: no route")
        assert call("count", "--wait") == (1, "count: failed after 12.3 ms: OSError: no route (on web-1:4711)\n")

    @pytest.mark.parametrize(
        ("reason", "code"),
        [
            (SkipReason.RUNNING_ELSEWHERE, 3),
            (SkipReason.OVERLAP, 3),
            (SkipReason.MISFIRE, 1),
            (SkipReason.PREDICATE, 0),
        ],
    )
    def test_what_did_not_take_place_exits_as_run_would(self, call: Call, reason: SkipReason, code: int) -> None:
        skipped(ask_run("count", by="test"), reason)
        exit_code, text = call("count", "--wait")
        assert (exit_code, text.startswith("count: skipped, ")) == (code, True)

    def test_after_its_time_it_waits_no_longer_and_says_how_the_run_stands(self, call: Call) -> None:
        code, text = call("count", "--timeout", "0.01")
        assert (code, text) == (1, "count: its run has not begun after 0.01 s; nobody waits for it any longer")
        answered(status="running", finished_at=None, duration=None)
        assert "goes on in web-1:4711 after" in call("count", "--wait", "--timeout", "0.01")[1]


class TestFate:
    def test_it_is_known_from_the_state_where_no_run_is_kept(self) -> None:
        at = timezone.now()
        TaskState.objects.create(
            task="count", last_scheduled_for=at, last_trigger="manual", last_status="failed", last_error="no"
        )
        fate = fate_of("count", at)
        assert (fate.status, fate.error, fate.is_over) == ("failed", "no", True)

    def test_of_several_attempts_the_last_counts(self) -> None:
        answered(status="failed")
        answered(attempt=2)
        assert fate_of("count", TaskRun.objects.latest("id").scheduled_for).status == "succeeded"

    def test_another_run_is_none_of_its_business(self) -> None:
        answered()
        take_up("count", TaskRun.objects.get().scheduled_for)
        assert fate_of("count", ask_run("count", by="test")).status == "asked"


def skipped(at: Any, reason: SkipReason) -> None:
    TaskSkip.objects.create(task="count", reason=reason, first_scheduled_for=at, last_scheduled_for=at, count=1)
