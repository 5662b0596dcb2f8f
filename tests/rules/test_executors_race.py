"""Several processes share the runtimes that are due, on PostgreSQL."""

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import django_process
from tests.support.home_assistant import HomeAssistantServer
from tests.support.postgres import execute

pytestmark = pytest.mark.e2e

SCRIPT = Path(__file__).with_name("executor.py")
RUNTIMES = 150
ACTIONS = [
    {"type": "alarm_event", "kind": "door_opened"},
    {"type": "home_assistant", "domain": "light", "service": "turn_on", "data": {"entity_id": "light.hall"}},
    {"type": "notify", "body": "It is open"},
]


def count(database_url, table):
    return execute(database_url, f"SELECT count(*) FROM {table}")[0][0]


def add_due_runtimes(database_url):
    execute(
        database_url,
        "INSERT INTO rules_rule (name, enabled, definition, cooldown_seconds, problem, watches_frigate,"
        " watches_alarm, created_at, updated_at)"
        " VALUES ('door', true, '{}', 0, '', false, false, now(), now())",
    )
    execute(
        database_url,
        "INSERT INTO rules_ruleruntime"
        " (rule_id, due_at, actions, status, next_step, attempts, next_attempt_at, last_error, created_at, waits)"
        " SELECT id, now() - n * interval '1 second', %s, 'pending', 0, 0, now(), '', now(), false"
        " FROM rules_rule, generate_series(1, %s) AS n",
        json.dumps(ACTIONS),
        RUNTIMES,
    )


def start(stack, database_url, server):
    process = django_process.start(
        SCRIPT, database_url=database_url, HOME_ASSISTANT_URL=server.url, HOME_ASSISTANT_TOKEN=server.token
    )
    stack.enter_context(process)
    stack.callback(process.kill)
    assert process.stdout.readline() == "ready\n"
    return process


def test_two_processes_share_the_work_and_do_nothing_twice(database_url):
    add_due_runtimes(database_url)

    with HomeAssistantServer() as server, ExitStack() as stack:
        server.set_entity("light.hall", "off")
        processes = [start(stack, database_url, server) for _ in range(2)]
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        shares = [int(process.stdout.readline()) for process in processes]

        assert sum(shares) == RUNTIMES
        assert min(shares) > 0
        assert len(server.calls) == RUNTIMES
    assert count(database_url, "alarm_alarmevent") == RUNTIMES
    assert count(database_url, "notifications_notification") == RUNTIMES
    assert count(database_url, "rules_ruleactionlog") == RUNTIMES * len(ACTIONS)
