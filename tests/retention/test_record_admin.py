"""How the house's records look in the admin: no list reads its table to the end, and things lead to each other."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from alarm.models import AlarmEvent
from asyncsched.admin.records import MOST_COUNTED
from home.models import Entity, FrigateDetection, FrigateReview
from notifications.models import Notification
from rules.models import Rule, RuleActionLog, RuleRuntime

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LISTS = {
    "alarm_alarmevent": "kind=armed&source=rule:1&when=30d&q=door",
    "home_entity": "domain=light&removed=0&q=hall",
    "home_frigatedetection": "camera=garden&label=person&stationary=0&when=7d&q=1",
    "home_frigatereview": "camera=garden&severity=alert&when=1d&q=1",
    "notifications_notification": "status=dead&urgent=1&channel=&when=1h&q=door",
    "retention_settingchange": "setting=DAYS&when=2026-11-23&q=admin",
    "rules_ruleactionlog": "status=failed&action=notify&rule=1&when=1d&q=door",
    "rules_ruleruntime": "status=pending&rule=1",
    "rules_ruleentityref": "q=door",
}


def detection(number, **facts):
    at = NOON + timedelta(seconds=number)
    seen = {"camera": "garden", "label": "person", "score": 0.5, "top_score": 0.8, "started_at": at, "updated_at": at}
    return FrigateDetection(event_id=f"event-{number}", **(seen | facts))


def found(response):
    return list(response.context["cl"].result_list)


@pytest.mark.parametrize(("name", "query"), LISTS.items())
def test_no_list_counts_its_table_to_the_end_or_looks_through_it_for_what_to_offer(admin_client, name, query):
    for asked in ("", query):
        with CaptureQueriesContext(connection) as queries:
            response = admin_client.get(f"{reverse(f'admin:{name}_changelist')}?{asked}")
        assert response.status_code == 200
        told = [sql for sql in (entry["sql"] for entry in queries) if f'FROM "{name}"' in sql]
        assert any("COUNT(" in sql for sql in told)
        assert all(f"LIMIT {MOST_COUNTED}" in sql for sql in told if "COUNT(" in sql)
        assert not [sql for sql in told if "DISTINCT" in sql or "MIN(" in sql]


def test_a_long_list_is_counted_up_to_a_bound(admin_client):
    FrigateDetection.objects.bulk_create([detection(number) for number in range(MOST_COUNTED + 100)])
    response = admin_client.get(reverse("admin:home_frigatedetection_changelist"))

    assert response.context["cl"].result_count == MOST_COUNTED


def test_what_can_be_chosen_is_what_there_was_lately(admin_client):
    FrigateDetection.objects.bulk_create([detection(1), detection(2, camera="drive", label="car")])
    address = reverse("admin:home_frigatedetection_changelist")
    page = admin_client.get(address).content.decode()

    assert [camera in page for camera in ('?camera=drive"', '?camera=garden"', '?label=car"')] == [True, True, True]
    assert [row.label for row in found(admin_client.get(f"{address}?camera=drive"))] == ["car"]


def test_entities_that_vanished_and_others_are_told_apart(admin_client):
    facts = {"domain": "light", "state": "on", "last_changed": NOON, "last_updated": NOON}
    Entity.objects.create(entity_id="light.hall", **facts)
    Entity.objects.create(entity_id="light.old", removed_at=NOON, **facts)
    address = reverse("admin:home_entity_changelist")

    assert [str(row) for row in found(admin_client.get(f"{address}?removed=0"))] == ["light.hall"]
    assert [str(row) for row in found(admin_client.get(f"{address}?removed=1"))] == ["light.old"]


def test_a_review_leads_to_those_of_its_detections_that_are_stored(admin_client):
    stored = detection(1)
    stored.save()
    review = FrigateReview.objects.create(
        review_id="1", camera="garden", severity="alert", detections=["event-1", "event-2"], started_at=NOON
    )
    page = admin_client.get(reverse("admin:home_frigatereview_change", args=[review.pk])).content.decode()

    assert page.count(reverse("admin:home_frigatedetection_change", args=[stored.pk])) == 1


def test_what_is_stored_as_json_is_shown_as_people_write_it_and_cannot_break_the_page(admin_client):
    event = AlarmEvent.objects.create(kind="armed", details={"rule": "<script>", "zones": ["Küche"]})
    page = admin_client.get(reverse("admin:alarm_alarmevent_change", args=[event.pk])).content.decode()

    assert "{\n  &quot;rule&quot;: &quot;&lt;script&gt;&quot;,\n  &quot;zones&quot;: [\n    &quot;Küche&quot;" in page


def test_what_a_rule_did_leads_to_the_rule_and_to_the_firing_that_it_belongs_to(admin_client):
    rule = Rule.objects.create(name="<door>", definition={})
    runtime = RuleRuntime.objects.create(rule=rule, due_at=NOON, actions=[], next_attempt_at=NOON)
    log = RuleActionLog.objects.create(
        rule=rule, runtime=runtime, action="notify", status="failed", started_at=NOON, finished_at=NOON
    )
    listing = admin_client.get(reverse("admin:rules_ruleactionlog_changelist")).content.decode()
    page = admin_client.get(reverse("admin:rules_ruleactionlog_change", args=[log.pk])).content.decode()

    link = f'<a href="{reverse("admin:rules_rule_change", args=[rule.pk])}">&lt;door&gt;</a>'
    assert link in listing
    assert link in page
    assert reverse("admin:rules_ruleruntime_change", args=[runtime.pk]) in page


def test_a_notification_that_goes_to_everybody_at_once_says_so_in_the_list(admin_client):
    Notification.objects.create(title="Door <b>", body="open", urgent=True)
    page = admin_client.get(reverse("admin:notifications_notification_changelist")).content.decode()

    assert "<strong>Door &lt;b&gt;</strong> open" in page
    assert '<td class="field-way">all, urgent</td>' in page
