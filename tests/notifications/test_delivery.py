"""From the outbox through Apprise to servers on real sockets."""

import pytest
from django.utils import timezone

from asyncsched import Every
from asyncsched.registry import registry
from notifications import outbox
from notifications.delivery import send_pending
from notifications.models import Notification, Status
from notifications.tasks import configured, notifications_send_pending
from notifications.transports.apprise_urls import AppriseTransport

pytestmark = pytest.mark.django_db

SECRET = "s3cr3t-t0ken"


def send(*urls, limit=20):
    return send_pending(AppriseTransport(urls), limit=limit)


def make_due():
    Notification.objects.update(next_attempt_at=timezone.now())


def with_secret(url):
    return url.replace("json://", f"json://user:{SECRET}@") + SECRET


def test_a_queued_message_arrives_and_is_marked_as_sent(receiver):
    outbox.queue("Door", "It is open")

    assert send(receiver.url) == 1
    row = Notification.objects.get()
    assert row.status == Status.SENT
    assert row.sent_at is not None
    assert [(content["title"], content["message"]) for content in receiver.received] == [("Door", "It is open")]


def test_a_message_that_was_sent_is_not_sent_again(receiver):
    outbox.queue("Door", "It is open")
    send(receiver.url)

    assert send(receiver.url) == 0
    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [401, 500])
def test_a_message_that_is_refused_is_tried_again_later(receiver, status):
    receiver.status = status
    outbox.queue("Door", "It is open")

    assert send(receiver.url) == 0
    row = Notification.objects.get()
    assert (row.status, row.attempts) == (Status.PENDING, 1)
    assert row.last_error == f"NOTIFY_URLS entry 1 (json): answered {status}"
    assert row.next_attempt_at > timezone.now()


def test_a_server_that_is_down_is_tried_again_later(receiver):
    receiver.close()
    outbox.queue("Door", "It is open")

    assert send(receiver.url) == 0
    assert Notification.objects.get().last_error == "NOTIFY_URLS entry 1 (json): cannot be reached"


def test_a_message_arrives_once_the_server_is_well_again(receiver):
    receiver.status = 500
    outbox.queue("Door", "It is open")
    send(receiver.url)
    receiver.status = 200
    make_due()

    assert send(receiver.url) == 1
    assert receiver.bodies == ["It is open"]


def test_a_target_that_has_the_message_does_not_get_it_again_when_another_fails(make_receiver):
    well, ill = make_receiver(), make_receiver()
    ill.status = 500
    outbox.queue("Door", "It is open")
    send(well.url, ill.url)
    ill.status = 200
    make_due()

    assert send(well.url, ill.url) == 1
    assert (well.bodies, ill.bodies) == (["It is open"], ["It is open"])


def test_a_message_for_a_channel_goes_to_its_targets_only(make_receiver):
    family, others = make_receiver(), make_receiver()
    outbox.queue("Door", "It is open", channel="family")

    assert send(family.url + "?tag=family", others.url) == 1
    assert (len(family.received), len(others.received)) == (1, 0)


def test_a_message_for_an_unknown_channel_waits_with_the_reason(receiver):
    outbox.queue("Door", "It is open", channel="family")

    assert send(receiver.url) == 0
    assert Notification.objects.get().last_error == "NOTIFY_URLS has no entry with ?tag=family"


def test_one_run_sends_no_more_than_its_limit(receiver):
    for number in range(5):
        outbox.queue("", f"message {number}")

    assert send(receiver.url, limit=3) == 3
    assert Notification.objects.filter(status=Status.PENDING).count() == 2


@pytest.mark.parametrize(
    ("url", "scheme"), [(f"nonsense-{SECRET}", "no scheme"), ("json://[half", "json"), ("nosuch://x", "nosuch")]
)
def test_an_address_that_cannot_be_used_is_named_by_its_place_and_does_not_stop_the_others(
    receiver, house_log, url, scheme
):
    outbox.queue("Door", "It is open")

    assert send(url, receiver.url) == 1
    assert f"NOTIFY_URLS entry 1 ({scheme}) is not an address Apprise knows" in house_log.text


def test_an_outage_is_logged_when_it_begins_and_when_it_ends(receiver, house_log):
    transport = AppriseTransport([receiver.url])
    outbox.queue("Door", "It is open")
    for status in (500, 500, 200, 200):
        receiver.status = status
        make_due()
        send_pending(transport, limit=1)

    actions = [record.action for record in house_log.records if hasattr(record, "action")]
    assert actions == ["target_failing", "target_recovered"]


@pytest.mark.parametrize("status", [200, 500, None])
def test_no_secret_of_an_address_reaches_log_or_database(receiver, house_log, status):
    receiver.status = status
    if status is None:
        receiver.close()
    outbox.queue("Door", "It is open")

    send(with_secret(receiver.url), f"tgram://{SECRET}", SECRET)

    stored = repr(Notification.objects.values().get())
    assert SECRET not in house_log.text + stored


def test_a_run_ends_early_when_it_should_stop_and_the_rest_stays_queued(receiver, inside_a_run):
    for number in range(3):
        outbox.queue("", f"message {number}")
    transport = AppriseTransport([receiver.url])

    sent = inside_a_run(lambda: send_pending(transport, limit=3), stopping=True)

    assert sent == 0
    assert Notification.objects.filter(status=Status.PENDING, attempts=0).count() == 3


def test_the_task_sends_to_the_configured_addresses(receiver, settings):
    settings.NOTIFY_URLS = [receiver.url]
    outbox.queue("Door", "It is open")

    assert notifications_send_pending() == 1


def test_the_task_is_enabled_only_with_an_address(settings):
    settings.NOTIFY_URLS = []
    assert not configured()

    settings.NOTIFY_URLS = ["json://127.0.0.1"]
    assert configured()


def test_the_task_runs_every_five_seconds_with_a_limit():
    task = registry.get("notifications_send_pending")

    assert task.schedule == Every(seconds=5)
    assert task.options.timeout == 60
