"""Alarm events in the admin, which can be read and deleted but not written."""

import pytest
from django.urls import reverse

from alarm import events

pytestmark = pytest.mark.django_db


def test_events_can_be_looked_at(admin_client):
    events.record("door_opened", "The door is open")

    assert b"The door is open" in admin_client.get(reverse("admin:alarm_alarmevent_changelist")).content


def test_events_cannot_be_written_by_hand(admin_client):
    assert admin_client.get(reverse("admin:alarm_alarmevent_add")).status_code == 403
