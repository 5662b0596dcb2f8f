"""What the reference says of ``async_tasks status`` is what the code prints."""

from datetime import UTC, datetime
from typing import Any

from asyncsched.management.status import Status
from asyncsched.storage.presence_views import LeadershipView, ReplicaView
from asyncsched.storage.situations import Situation, TaskSituation
from tests.docs.pages import table

COMMANDS = "docs/reference/commands.md"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LEADERSHIP = LeadershipView(term=0, holder="", since=None, until=None, leads=False)


def test_its_keys_are_listed() -> None:
    status = Status(now=NOW, leadership=LEADERSHIP, replicas=(), tasks=(), is_enabled=True, is_elected=True)
    assert table(COMMANDS, "Key of `status`").column(0) == list(status.as_json())


def test_the_keys_of_the_leader_are_listed() -> None:
    assert table(COMMANDS, "Key of `leader`").column(0) == list(LEADERSHIP.as_json())


def test_the_keys_of_a_process_are_listed() -> None:
    process = ReplicaView(
        replica="web-1:1:a",
        host="web-1",
        pid=1,
        incarnation="a",
        version="1",
        role="leader",
        started_at=NOW,
        seen_at=NOW,
        expires_at=NOW,
        tasks={},
    )
    assert table(COMMANDS, "Key of a process").column(0) == list(process.as_json())


def test_the_keys_of_a_task_are_listed() -> None:
    facts: dict[str, Any] = dict.fromkeys(TaskSituation.__slots__)
    task = TaskSituation(**facts | {"situation": Situation.WAITING, "known_by": (), "running_on": ()})
    assert table(COMMANDS, "Key of a task").column(0) == list(task.as_json())


def test_every_state_of_a_task_is_listed() -> None:
    assert set(table(COMMANDS, "State of a task").column(0)) == set(Situation)
