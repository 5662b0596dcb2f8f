"""Several processes share the runtimes that are due, on PostgreSQL."""

import asyncio
import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import django_process
from tests.support.deadline import eventually
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


def add_due_runtimes(database_url, *, count=RUNTIMES):
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
        count,
    )


def start(stack, database_url, server):
    process = django_process.start(
        SCRIPT, database_url=database_url, HOME_ASSISTANT_URL=server.url, HOME_ASSISTANT_TOKEN=server.token
    )
    stack.enter_context(process)
    stack.callback(process.kill)
    assert process.stdout.readline() == "ready\n"
    return process


def go(process):
    process.stdin.write("go\n")
    process.stdin.flush()


def test_two_processes_share_the_work_and_do_nothing_twice(database_url):
    add_due_runtimes(database_url)

    with HomeAssistantServer() as server, ExitStack() as stack:
        server.set_entity("light.hall", "off")
        processes = [start(stack, database_url, server) for _ in range(2)]
        for process in processes:
            go(process)
        shares = [int(process.stdout.readline()) for process in processes]

        assert sum(shares) == RUNTIMES
        assert min(shares) > 0
        assert len(server.calls) == RUNTIMES
    assert count(database_url, "alarm_alarmevent") == RUNTIMES
    assert count(database_url, "notifications_notification") == RUNTIMES
    assert count(database_url, "rules_ruleactionlog") == RUNTIMES * len(ACTIONS)


def test_after_a_process_was_killed_another_goes_on_at_the_action_that_was_in_hand(database_url):
    add_due_runtimes(database_url, count=1)

    with HomeAssistantServer() as server, ExitStack() as stack:
        server.set_entity("light.hall", "off")
        server.misbehave("silent")
        killed = start(stack, database_url, server)
        go(killed)
        asyncio.run(eventually(lambda: execute(database_url, "SELECT 1 FROM rules_ruleruntime WHERE next_step = 1")))
        killed.kill()
        killed.wait()
        server.misbehave(None)
        execute(database_url, "UPDATE rules_ruleruntime SET next_attempt_at = now()")  # its lease has run out
        other = start(stack, database_url, server)
        go(other)

        assert other.stdout.readline() == "1\n"
    assert count(database_url, "alarm_alarmevent") == 1
    assert count(database_url, "notifications_notification") == 1
    steps = execute(database_url, "SELECT step FROM rules_ruleactionlog WHERE status = 'succeeded' ORDER BY id")
    assert steps == [(0,), (1,), (2,)]
