"""Several threads, each with its own connection, store what happens in the house at the same time, on PostgreSQL."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.utils import timezone

from alarm import arming
from home.home_assistant.entities import read_state
from home.home_assistant.store import store
from rules import evaluate
from rules.models import Rule, RuleActionLog, RuleRuntime
from tests.support.databases import default_database
from tests.support.deadline import eventually
from tests.support.postgres import execute

EVENT = {"type": "alarm_event", "kind": "bright"}
BLOCKED = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture
def database(database_url, django_db_blocker):
    with django_db_blocker.unblock(), default_database(database_url, migrate=False):
        yield database_url


def say(entity_id, state):
    """Store that an entity is in a state now."""
    now = timezone.now()
    item = {"entity_id": entity_id, "state": state, "last_changed": str(now), "last_updated": str(now)}
    return store([read_state(item, now=now)])


def rule_on(*conditions):
    rule = Rule.objects.create(name="bright", definition={"when": {"all": list(conditions)}, "then": [EVENT]})
    for condition in conditions:
        if "entity_id" in condition:
            say(condition["entity_id"], "off")
    evaluate.by_time(timezone.now())
    rule.refresh_from_db()
    assert rule.holds is False
    return rule


def in_thread(work):
    """Return what closes the connection of its thread once *work* is done."""

    def run():
        try:
            return work()
        finally:
            connections.close_all()

    return run


def overtake(database, first, second):
    """Begin *second* while the transaction of *first* is open; commit that once *second* waits, or has not waited."""
    with ThreadPoolExecutor(2) as threads:
        stored, go_on = threading.Event(), threading.Event()

        def hold_open():
            with transaction.atomic():
                first()
                stored.set()
                assert go_on.wait(30)

        holding = threads.submit(in_thread(hold_open))
        assert stored.wait(30)
        following = threads.submit(in_thread(second))
        asyncio.run(eventually(lambda: following.done() or execute(database, BLOCKED)))
        go_on.set()
        holding.result(30)
        following.result(30)


def test_of_two_changes_at_the_same_time_the_second_sees_the_first(database):
    left, right = ({"entity_id": f"light.{side}", "state": "on"} for side in ("left", "right"))
    rule_on(left, right)

    overtake(database, lambda: say("light.left", "on"), lambda: say("light.right", "on"))

    assert RuleRuntime.objects.count() == 1
    assert RuleActionLog.objects.filter(action="fired").count() == 1


def test_a_change_of_the_alarm_and_one_of_the_house_at_the_same_time_see_each_other(database):
    rule_on({"entity_id": "light.left", "state": "on"}, {"alarm": "armed_away"})

    def arm():
        arming.command(arming.Command.ARM_AWAY, by="test", now=timezone.now(), exit_delay=timedelta())

    overtake(database, lambda: say("light.left", "on"), arm)

    assert RuleRuntime.objects.count() == 1


def test_what_two_processes_hear_fires_once(database):
    rule_on({"entity_id": "light.left", "state": "on"})
    now = timezone.now()
    item = {"entity_id": "light.left", "state": "on", "last_changed": str(now), "last_updated": str(now)}
    step = read_state(item, now=now)

    overtake(database, lambda: store([step]), lambda: store([step]))

    assert RuleRuntime.objects.count() == 1


def test_what_two_processes_look_at_because_of_the_time_fires_once(database):
    rule = rule_on({"entity_id": "light.left", "state": "on"})
    now = timezone.now()
    Rule.objects.filter(pk=rule.pk).update(
        definition={"when": {"time": {"after": "00:00", "before": "23:59:59", "tz": "UTC"}}, "then": [EVENT]},
        look_at=now,
    )

    overtake(database, lambda: evaluate.by_time(now), lambda: evaluate.by_time(now + timedelta(seconds=1)))

    assert RuleRuntime.objects.count() == 1


def test_a_rule_that_is_saved_meanwhile_does_not_bring_back_what_it_knew_before(database):
    rule = rule_on({"entity_id": "light.left", "state": "on"})
    rule.name = "renamed"

    overtake(database, lambda: say("light.left", "on"), rule.save)

    rule.refresh_from_db()
    assert rule.holds is True
    assert rule.last_fired_at is not None
