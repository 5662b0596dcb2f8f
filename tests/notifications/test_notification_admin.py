"""The outbox in the admin."""

import re
from datetime import time

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from notifications import claims, outbox
from notifications.models import Channel, Notification, Status
from notifications.policies import Policy

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


def test_what_waits_is_cancelled_on_request_and_what_is_being_sent_is_left_alone(admin_client):
    outbox.queue("Door", "It is open")
    being_sent = claims.claim_next(timezone.now())
    waiting = outbox.queue("Door", "It is shut")

    chosen = {"action": "cancel", "_selected_action": [being_sent.pk, waiting.pk]}
    response = admin_client.post(reverse(LIST), chosen, follow=True)

    assert b"1 cancelled." in response.content
    assert b"1 being sent at this moment: not cancelled." in response.content
    assert dict(Notification.objects.values_list("pk", "status")) == {being_sent.pk: "sending", waiting.pk: "cancelled"}


def test_what_was_cancelled_can_be_sent_after_all(admin_client):
    row = outbox.queue("Door", "It is open")
    outbox.cancel(Notification.objects.all())

    admin_client.post(reverse(LIST), {"action": "send_again", "_selected_action": [row.pk]})

    assert claims.claim_next(timezone.now()).pk == row.pk


def test_a_reader_is_offered_nothing_that_changes_a_message(client, django_user_model):
    reader = django_user_model.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_notification"))
    client.force_login(reader)
    row = outbox.queue("Door", "It is open")

    client.post(reverse(LIST), {"action": "cancel", "_selected_action": [row.pk]})

    assert Notification.objects.get().status == Status.PENDING


def outlook(admin_client):
    """Return what the list says of the newest message."""
    page = admin_client.get(reverse(LIST)).content.decode()
    return re.search(r'class="field-outlook">([^<]*)<', page)[1]


def test_the_list_says_in_words_what_comes_next(admin_client, clock):
    Channel.objects.create(name="off", enabled=False)
    Channel.objects.create(name="quiet", quiet_from=time(11), quiet_until=time(13))
    Channel.objects.create(name="calm", collapse_seconds=300, attempts=3)

    outbox.queue("Door", "It is open")
    assert outlook(admin_client) == "next"

    outbox.queue("Door", "It is open", channel="off")
    assert outlook(admin_client) == "waits until its channel is switched on"

    outbox.queue("Door", "It is open", channel="quiet")
    assert outlook(admin_client) == "waits for the end of the quiet hours at 2026-11-23 13:00:00 UTC"

    first = outbox.queue("Door", "It is open", channel="calm", idempotency_key="first")
    Notification.objects.exclude(pk=first.pk).delete()
    claimed = claims.claim_next(timezone.now())
    assert outlook(admin_client) == "being sent; another sender takes over at 2026-11-23 12:02:00 UTC if this one dies"

    claims.record_failure(claimed, "no answer", permanent=False, now=timezone.now())
    Notification.objects.update(next_attempt_at=timezone.now())
    assert outlook(admin_client) == "attempt 2 of 3 at 2026-11-23 12:00:00 UTC"

    claims.record_sent(claims.claim_next(timezone.now()), now=timezone.now())
    assert outlook(admin_client) == "sent at 2026-11-23 12:00:00 UTC"

    outbox.queue("Door", "It is open", channel="calm")
    assert outlook(admin_client) == "held back as a repeat until 2026-11-23 12:05:00 UTC"


def test_the_list_says_in_words_what_became_of_a_message(admin_client, clock):
    Channel.objects.create(name="", collapse_seconds=300, attempts=1)
    first = outbox.queue("Door", "It is open")
    outbox.queue("Door", "It is open")
    claimed = claims.claim_next(timezone.now())
    assert outlook(admin_client) == f"goes with message {first.pk}"

    Notification.objects.exclude(pk=first.pk).delete()
    claims.record_failure(claimed, "no answer", permanent=False, now=timezone.now())
    assert outlook(admin_client) == "given up after 1 of 1 attempts"


def test_a_channel_is_edited_in_the_admin_and_mistakes_are_told(admin_client):
    address = reverse("admin:notifications_channel_add")
    values = {
        "name": "family",
        "enabled": "on",
        "attempts": "5",
        "first_delay_seconds": "10",
        "longest_delay_seconds": "60",
        "quiet_from": "22:00",
        "quiet_until": "07:00",
        "time_zone": "Europe/Berlin",
        "collapse_seconds": "300",
    }

    refused = admin_client.post(address, values | {"time_zone": "Berlin", "attempts": "0"})
    assert b"There is no time zone of this name" in refused.content
    assert b"greater than or equal to 1" in refused.content

    admin_client.post(address, values)
    assert str(Policy.of(Channel.objects.get())) == (
        "5 attempts, 10 to 60 s apart, repeats as one within 300 s, quiet 22:00-07:00 Europe/Berlin"
    )
    assert b"22:00-07:00 Europe/Berlin" in admin_client.get(reverse("admin:notifications_channel_changelist")).content


def test_what_comes_next_is_on_the_page_of_a_message_too(admin_client):
    row = outbox.queue("Door", "It is open")

    page = admin_client.get(reverse("admin:notifications_notification_change", args=[row.pk])).content.decode()

    assert re.search(r"What comes next:.*?>next<", page, re.DOTALL)


def test_a_long_list_takes_as_many_queries_as_a_short_one(admin_client, django_assert_max_num_queries):
    for number in range(40):
        outbox.queue("Door", f"message {number}")

    with django_assert_max_num_queries(20):
        admin_client.get(reverse(LIST))
