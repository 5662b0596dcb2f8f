"""Rules in the admin."""

import pytest
from django.urls import reverse

from rules.models import Rule

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
