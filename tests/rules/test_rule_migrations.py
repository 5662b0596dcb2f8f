"""Rules that were written before conditions were evaluated survive the change."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from rules import definitions
from rules.models import Rule, RuleActionLog, RuleEntityRef, RuleRuntime
from tests.support.databases import default_database

EVENT = {"type": "alarm_event", "kind": "door_opened"}
DOOR_OPEN = {"entity_id": "binary_sensor.door", "state": "on"}


@pytest.fixture
def old(tmp_path, django_db_blocker):
    """The models of 0.1, in a database of this test's own."""
    with (
        django_db_blocker.unblock(),
        default_database(f"sqlite:///{tmp_path / 'old.sqlite3'}", migrate=False, transaction_mode="IMMEDIATE"),
    ):
        call_command("migrate", "rules", "0001", verbosity=0)
        yield MigrationExecutor(connection).loader.project_state([("rules", "0001_initial")]).apps


def converted(old, definition, **fields):
    """Return the rule that an old one with this definition has become."""
    old.get_model("rules", "Rule").objects.create(name="door", definition=definition, **fields)
    call_command("migrate", "rules", verbosity=0)
    return Rule.objects.get()


def test_a_condition_on_one_state_carries_over(old):
    rule = converted(old, {"conditions": DOOR_OPEN, "actions": [EVENT]})

    assert rule.enabled
    assert rule.definition == {"when": DOOR_OPEN, "then": [EVENT]}
    assert definitions.parse(rule.definition)
    assert rule.holds is None
    assert rule.look_at <= timezone.now()


def test_a_rule_that_was_switched_off_stays_so(old):
    rule = converted(old, {"conditions": DOOR_OPEN, "actions": [EVENT]}, enabled=False)

    assert not rule.enabled
    assert rule.definition == {"when": DOOR_OPEN, "then": [EVENT]}


@pytest.mark.parametrize(
    "conditions", [{}, {"all": [DOOR_OPEN]}, {"entity_id": ["light.a", "light.b"], "state": "on"}, {"odd": 1}]
)
def test_any_other_condition_is_kept_in_a_rule_that_is_switched_off(old, conditions):
    rule = converted(old, {"conditions": conditions, "actions": [EVENT]})

    assert not rule.enabled
    assert rule.definition == {"when": conditions, "then": [EVENT]}


@pytest.mark.parametrize("definition", [{}, [], "odd", {"actions": 5}])
def test_what_was_no_definition_ends_switched_off(old, definition):
    assert not converted(old, definition).enabled


def test_what_was_waiting_and_what_was_logged_is_still_there(old):
    now = timezone.now()
    rule = old.get_model("rules", "Rule").objects.create(name="light", definition={})
    runtime = old.get_model("rules", "RuleRuntime").objects.create(
        rule=rule, due_at=now, next_attempt_at=now, actions=[EVENT]
    )
    old.get_model("rules", "RuleActionLog").objects.create(
        rule=rule, runtime=runtime, action="notify", status="succeeded", started_at=now, finished_at=now
    )
    old.get_model("rules", "RuleEntityRef").objects.create(rule=rule, entity_id="light.hall")
    call_command("migrate", "rules", verbosity=0)

    kept = RuleRuntime.objects.get()
    assert (kept.actions, kept.waits, kept.trace) == ([EVENT], False, None)
    assert (RuleActionLog.objects.get().step, RuleActionLog.objects.get().trace) == (0, None)
    assert RuleEntityRef.objects.get().entity_id == "light.hall"
