"""Rules in the admin."""

import json

import pytest
from django.urls import reverse

from rules.models import Rule, RuleActionLog

pytestmark = pytest.mark.django_db


def save(admin_client, definition):
    fields = {"name": "door", "enabled": "on", "definition": definition, "cooldown_seconds": "0"}
    return admin_client.post(reverse("admin:rules_rule_add"), fields, follow=True)


def test_a_rule_is_written_in_the_admin(admin_client):
    save(admin_client, '{"when": {"alarm": "disarmed"}, "then": [{"type": "alarm_event", "kind": "door_opened"}]}')

    assert Rule.objects.get().name == "door"


def test_a_mistake_in_a_definition_is_shown_with_its_place(admin_client):
    response = save(admin_client, '{"when": {"alarm": "disarmed"}, "then": [{"type": "dance"}]}')

    assert b"then[0].type" in response.content
    assert not Rule.objects.exists()


@pytest.mark.parametrize("model", ["rule", "ruleentityref", "ruleruntime", "ruleactionlog"])
def test_every_table_can_be_looked_at(admin_client, model):
    assert admin_client.get(reverse(f"admin:rules_{model}_changelist")).status_code == 200


def test_the_trace_of_a_firing_is_shown_as_lines(admin_client, make_rule, house):
    make_rule({"type": "alarm_event", "kind": "door_opened"})
    house.tell(("binary_sensor.door", "off"))
    house.tell(("binary_sensor.door", "on"), at_second=5)
    log = RuleActionLog.objects.get()
    response = admin_client.get(reverse("admin:rules_ruleactionlog_change", args=[log.pk]))

    assert ">✓ binary_sensor.door is on  (on since 2026-11-25 12:00:05 UTC)</pre>" in response.content.decode()


def test_how_a_rule_stands_is_shown_and_cannot_be_written(admin_client, make_rule, house):
    rule = make_rule({"type": "alarm_event", "kind": "door_opened"})
    house.tell(("binary_sensor.door", "off"))
    page = admin_client.get(reverse("admin:rules_rule_change", args=[rule.pk])).content.decode()

    assert "Holds since" in page
    assert 'name="holds' not in page
    assert 'name="look_at' not in page


def test_a_definition_is_shown_as_people_write_it(admin_client, make_rule):
    rule = make_rule({"type": "alarm_event", "kind": "door_opened"})
    page = admin_client.get(reverse("admin:rules_rule_change", args=[rule.pk])).content.decode()

    assert "{\n  &quot;when&quot;: {\n    &quot;entity_id&quot;" in page


def test_an_edit_in_the_admin_keeps_what_the_rule_knows(admin_client, make_rule, house):
    rule = make_rule({"type": "alarm_event", "kind": "door_opened"})
    house.tell(("binary_sensor.door", "off"))
    fields = {"name": "front door", "enabled": "on", "definition": json.dumps(rule.definition), "cooldown_seconds": "5"}
    admin_client.post(reverse("admin:rules_rule_change", args=[rule.pk]), fields)
    rule.refresh_from_db()

    assert (rule.name, rule.cooldown_seconds, rule.holds) == ("front door", 5, False)
