"""The outbox in the admin."""

import pytest
from django.urls import reverse

from notifications import outbox
from notifications.models import Notification, Status

pytestmark = pytest.mark.django_db

LIST = "admin:notifications_notification_changelist"


def test_the_outbox_can_be_looked_at(admin_client):
    outbox.queue("Door", "It is open")

    assert b"Door" in admin_client.get(reverse(LIST)).content


def test_a_message_cannot_be_written_by_hand(admin_client):
    assert admin_client.get(reverse("admin:notifications_notification_add")).status_code == 403


def test_what_was_given_up_is_sent_again_on_request(admin_client):
    given_up = outbox.queue("Door", "It is open")
    sent = outbox.queue("Door", "It is shut")
    Notification.objects.filter(pk=given_up.pk).update(status=Status.DEAD, attempts=10)
    Notification.objects.filter(pk=sent.pk).update(status=Status.SENT)

    chosen = {"action": "send_again", "_selected_action": [given_up.pk, sent.pk]}
    response = admin_client.post(reverse(LIST), chosen, follow=True)

    assert b"1 will be sent again" in response.content
    assert dict(Notification.objects.values_list("pk", "status")) == {given_up.pk: "pending", sent.pk: "sent"}
