"""Rules in the admin."""

import json
import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from rules.models import Rule, RuleActionLog, RuleRuntime

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


VALID = '{"when": {"alarm": "disarmed"}, "then": [{"type": "alarm_event", "kind": "door_opened"}]}'


def errors(response):
    return response.context["adminform"].form.errors


def test_a_mistake_is_told_once_with_its_place_and_line(admin_client):
    response = save(admin_client, VALID.replace('"then"', '\n"then"').replace("door_opened", "Door opened"))

    assert errors(response) == {"definition": ["then[0].kind: 'Door opened' may have only a-z, 0-9 and _ (line 2)"]}


def test_what_is_not_even_json_is_told_with_its_line_and_shown_as_it_was_written(admin_client):
    text = '{"when":   {\n"alarm": disarmed}}'
    response = save(admin_client, text)

    assert errors(response) == {"definition": ["Not JSON: Expecting value, column 10 (line 2)"]}
    assert "{&quot;when&quot;:   {\n&quot;alarm&quot;: disarmed}}" in response.content.decode()


@pytest.mark.parametrize("text", ["", "null", "[" * 100_000, "9" * 10_000, '"\\ud800"'])
def test_whatever_is_written_is_answered_by_the_form(admin_client, text):
    response = save(admin_client, text)

    assert len(errors(response)["definition"]) == 1
    assert not Rule.objects.exists()


def test_the_page_of_a_rule_tells_it_in_words_and_whether_it_would_fire_now(admin_client, make_rule, house):
    rule = make_rule({"type": "alarm_event", "kind": "door_opened"})
    house.tell(("binary_sensor.door", "off"))
    page = admin_client.get(reverse("admin:rules_rule_change", args=[rule.pk])).content.decode()

    assert "When this comes true:\n  binary_sensor.door is on\nThen:\n  1. write down an event: door_opened" in page
    assert "✗ binary_sensor.door is on  (off since 2026-11-25 12:00:00 UTC)" in page
    assert "It would not fire: its condition does not hold." in page


def test_a_rule_that_cannot_be_executed_can_be_opened_and_mended(admin_client):
    rule = Rule.objects.create(name="broken", definition={"when": {}})
    page = admin_client.get(reverse("admin:rules_rule_change", args=[rule.pk])).content.decode()

    assert "It cannot be executed: when: needs one of" in page


def test_the_page_of_a_rule_leads_to_the_traces_of_its_latest_firings_and_to_all_it_did(admin_client, make_rule, house):
    rule = make_rule({"type": "alarm_event", "kind": "door_opened"})
    other = make_rule({"type": "alarm_event", "kind": "x"}, name="other", when={"alarm": "triggered"})
    for second, state in enumerate(("off", "on", "off", "on")):
        house.tell(("binary_sensor.door", state), at_second=second)
    page = admin_client.get(reverse("admin:rules_rule_change", args=[rule.pk])).content.decode()

    assert re.findall(r"/ruleactionlog/(\d+)/change/", page) == [str(log.pk) for log in RuleActionLog.objects.all()]
    listed = admin_client.get(reverse("admin:rules_ruleactionlog_changelist"), {"rule": other.pk})
    assert listed.context["cl"].result_count == 0


def test_an_event_and_a_notification_lead_to_the_rule_that_caused_them(admin_client, make_rule, house):
    from alarm.models import AlarmEvent
    from notifications.outbox import queue

    rule = make_rule({"type": "alarm_event", "kind": "door_opened"})
    house.tell(("binary_sensor.door", "off"))
    house.tell(("binary_sensor.door", "on"), at_second=5)
    runtime = RuleRuntime.objects.get()
    notification = queue("Door", "It is open", idempotency_key=f"rule-runtime:{runtime.pk}:0")
    AlarmEvent.objects.create(kind="armed", source=f"user:{rule.pk}")  # somebody who is called 1
    events = admin_client.get(reverse("admin:alarm_alarmevent_changelist")).content.decode()
    page = admin_client.get(reverse("admin:notifications_notification_change", args=[notification.pk])).content.decode()

    assert f'<a href="{reverse("admin:rules_rule_change", args=[rule.pk])}">rule:{rule.pk}</a>' in events
    assert f"/auth/user/{rule.pk}/" not in events
    assert f'<a href="{reverse("admin:rules_ruleruntime_change", args=[runtime.pk])}">' in page


def check(client, text):
    return client.post(reverse("admin:rules_rule_check"), {"definition": text})


def test_a_definition_is_checked_while_it_is_written_and_nothing_is_stored(admin_client):
    assert check(admin_client, VALID).json()["in_words"][-1] == "  1. write down an event: door_opened"
    (mistake,) = check(admin_client, VALID.replace("door_opened", "")).json()["mistakes"]
    assert mistake == {"line": 1, "place": "then[0].kind", "problem": "is missing or empty"}
    assert not Rule.objects.exists()


def staff(client, django_user_model, *permissions):
    user = django_user_model.objects.create_user("sam", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def test_who_may_only_look_reads_a_definition_in_words_and_cannot_write_it(client, django_user_model, make_rule):
    rule = make_rule({"type": "alarm_event", "kind": "door_opened"})
    viewer = staff(client, django_user_model, "view_rule")
    address = reverse("admin:rules_rule_change", args=[rule.pk])
    page = viewer.get(address).content.decode()

    assert "<textarea" not in page
    assert "  binary_sensor.door is on" in page
    assert viewer.post(address, {"name": "mine"}).status_code == 403
    assert check(viewer, VALID).status_code == 403


@pytest.mark.parametrize("permission", ["add_rule", "change_rule"])
def test_who_may_write_rules_may_have_them_checked(client, django_user_model, permission):
    assert check(staff(client, django_user_model, permission), VALID).status_code == 200


def test_a_check_is_a_form_that_nobody_else_can_send(admin_user):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(admin_user)

    assert check(strict, VALID).status_code == 403
    assert strict.get(reverse("admin:rules_rule_check")).status_code == 405
