"""What the room shows of itself: its tasks and its pages in the admin."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from asyncsched.registry import registry
from home import tasks
from home.models import Entity, FrigateDetection, FrigateReview


def test_the_tasks_are_registered_with_their_schedules():
    words = {task.name: task.schedule.seconds for task in registry if task.function.__module__ == tasks.__name__}

    assert words == {"check_home_assistant": 30, "sync_entity_states": 300, "cleanup_frigate_detections": 3600}


def test_an_integration_that_is_not_configured_is_not_run():
    names = ("check_home_assistant", "sync_entity_states")
    conditions = {name: registry.get(name).options.enabled_when() for name in names}
    conditions |= {
        one.name: one.enabled_when() for one in registry.services if one.function.__module__ == tasks.__name__
    }

    assert conditions == dict.fromkeys([*names, "home_assistant_live", "mqtt", "zwave_js"], False)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["entity", "frigatedetection", "frigatereview"])
def test_records_can_be_looked_at_in_the_admin_and_not_written(admin_client, name):
    now = datetime.now(UTC)
    rows = {
        "entity": Entity.objects.create(entity_id="light.hall", state="on", last_changed=now, last_updated=now),
        "frigatedetection": FrigateDetection.objects.create(
            event_id="e1", label="person", camera="front", score=1, top_score=1, started_at=now, updated_at=now
        ),
        "frigatereview": FrigateReview.objects.create(
            review_id="e1", camera="front", severity="alert", labels=["person"], started_at=now
        ),
    }
    page = admin_client.get(reverse(f"admin:home_{name}_changelist"), {"q": "e"})
    record = admin_client.get(reverse(f"admin:home_{name}_change", args=[rows[name].pk]))

    assert (page.status_code, record.status_code) == (200, 200)
    assert admin_client.get(reverse(f"admin:home_{name}_add")).status_code == 403
    assert b'name="_save"' not in record.content
