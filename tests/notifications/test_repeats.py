"""Repeats of a message, on a channel that sends them as one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications import claims, outbox
from notifications.delivery import send_pending
from notifications.models import Channel, Notification, Status
from notifications.transports.apprise_urls import AppriseTransport

pytestmark = pytest.mark.django_db

WINDOW = 300  # seconds


@pytest.fixture(autouse=True)
def _channel(clock):
    Channel.objects.create(name="family", collapse_seconds=WINDOW)


@pytest.fixture
def send(receiver):
    """Send what is due; return what arrived, as pairs of title and body."""
    transport = AppriseTransport([f"{receiver.url}?tag=family"])

    def call():
        before = len(receiver.received)
        send_pending(transport, limit=20)
        return list(zip(receiver.titles, receiver.bodies, strict=True))[before:]

    return call


def queue(title="Door", body="It is open", **options):
    return outbox.queue(title, body, channel="family", **options)


def test_repeats_that_wait_are_sent_as_one_that_counts_them(send):
    for _ in range(3):
        queue()

    assert send() == [("Door (×3)", "It is open")]


def test_the_count_is_in_the_text_where_there_is_no_title(send):
    queue(title="")
    queue(title="")

    assert [body for _, body in send()] == ["It is open (×2)"]


def test_each_repeat_is_kept_with_the_message_it_went_with(send):
    first, second = queue(), queue()
    send()

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, first.repeats) == (Status.SENT, 2)
    assert (second.status, second.part_of) == (Status.MERGED, first)


def test_repeats_after_it_was_sent_are_held_back_and_summed_up(send, clock):
    queue()
    send()
    for _ in range(3):
        clock.shift(60)
        queue()
        assert send() == []

    clock.shift(WINDOW - 180)
    assert send() == [("Door", "It is open\n(3 more in the last 5 minutes)")]


def test_what_goes_on_and_on_is_told_once_in_a_window(send, clock):
    arrived = []
    for _ in range(60):  # every 30 seconds for half an hour
        queue()
        arrived += send()
        clock.shift(30)

    assert len(arrived) == 6
    assert arrived[1:] == [("Door", "It is open\n(10 more in the last 5 minutes)")] * 5


def test_a_message_after_the_window_is_a_first_one(send, clock):
    queue()
    send()
    clock.shift(WINDOW)
    queue()

    assert send() == [("Door", "It is open")]


@pytest.mark.parametrize("other", [{"title": "Window"}, {"body": "It is shut"}], ids=str)
def test_another_title_or_text_is_no_repeat(send, other):
    queue()
    queue(**other)

    assert len(send()) == 2


def test_messages_with_the_same_key_are_repeats_whatever_they_say(send):
    queue(body="Somebody in the hall", collapse_key="motion")
    queue(body="Somebody in the kitchen", collapse_key="motion")

    assert send() == [("Door (×2)", "Somebody in the hall")]


def test_the_same_message_on_another_channel_is_no_repeat(clock):
    Channel.objects.create(name="night", collapse_seconds=WINDOW)
    queue()
    outbox.queue("Door", "It is open", channel="night")

    claimed = [claims.claim_next(timezone.now()) for _ in range(2)]
    assert [one.channel for one in claimed] == ["family", "night"]


def test_a_channel_that_does_not_collapse_sends_every_one(send):
    Channel.objects.update(collapse_seconds=0)
    queue()
    queue()

    assert send() == [("Door", "It is open")] * 2


def test_urgent_messages_are_neither_held_back_nor_counted(send):
    queue()
    queue(urgent=True)
    queue(urgent=True)
    assert len(send()) == 3

    queue(urgent=True)
    assert send() == [("Door", "It is open")]


def test_a_message_with_a_taken_idempotency_key_is_not_counted(send):
    queue(idempotency_key="door:1")
    queue(idempotency_key="door:2")
    queue(idempotency_key="door:2")

    assert send() == [("Door (×2)", "It is open")]


def test_repeats_join_a_message_that_could_not_be_sent_yet(send, receiver, clock):
    receiver.status = 500
    queue()
    send()
    queue()
    receiver.status = 200
    clock.shift(60)

    assert send() == [("Door (×2)", "It is open")]


def test_what_one_target_has_is_not_changed_for_the_other(make_receiver, clock):
    well, ill = make_receiver(), make_receiver()
    transport = AppriseTransport([f"{well.url}?tag=family", f"{ill.url}?tag=family"])
    ill.status = 500
    queue()
    send_pending(transport, limit=20)
    queue()
    ill.status = 200
    clock.shift(60)
    send_pending(transport, limit=20)

    assert well.titles == ill.titles == ["Door"]
    clock.shift(WINDOW)
    send_pending(transport, limit=20)
    assert well.bodies[1:] == ill.bodies[1:] == ["It is open\n(1 more in the last 5 minutes)"]


def test_repeats_of_a_message_that_was_given_up_are_tried_for_themselves(receiver, send, clock):
    receiver.status = 500
    Channel.objects.update(attempts=1)
    queue()
    send()
    queue()
    receiver.status = 200

    assert send() == [("Door", "It is open")]


def test_repeats_of_a_message_that_was_cancelled_are_not_held_back(send, receiver, clock):
    receiver.status = 500
    first = queue()
    send()
    receiver.status = 200
    outbox.cancel(Notification.objects.filter(pk=first.pk))
    queue()

    assert send() == [("Door", "It is open")]


def test_a_sender_that_dies_takes_no_repeats_with_it(send, clock):
    queue()
    queue()
    claims.claim_next(timezone.now())  # and then it dies
    queue()
    clock.shift(claims.LEASE)

    assert send() == [("Door (×3)", "It is open")]


def test_a_message_that_is_sent_again_by_hand_is_not_held_back(send, receiver, clock):
    receiver.status = 500
    Channel.objects.update(attempts=1)
    queue()
    send()
    receiver.status = 200
    queue()
    send()

    outbox.send_again(Notification.objects.all(), now=timezone.now())
    assert send() == [("Door", "It is open")]


def test_messages_of_other_kinds_are_not_kept_waiting_by_those_held_back(send, clock):
    queue()
    send()
    for _ in range(2 * claims.LOOKED_AT):
        queue()
    clock.shift(1)
    queue(body="It is shut")

    assert send() == [("Door", "It is shut")]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (40, "40 seconds"), (89, "89 seconds"), (90, "2 minutes"), (300, "5 minutes"), (5400, "2 hours")],
)
def test_lengths_of_time_are_told_as_one_speaks_of_them(seconds, words):
    from notifications.wording import span

    assert span(timedelta(seconds=seconds)) == words
