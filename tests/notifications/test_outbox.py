"""The outbox: queued with its cause, claimed by one, tried again, given up."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from notifications import claims, outbox
from notifications.models import Channel, Notification, Status
from notifications.policies import DEFAULT, JITTER

pytestmark = pytest.mark.django_db

NOW = timezone.now() + timedelta(hours=1)  # later than whatever the tests queue


class CauseFailed(Exception):
    """What went wrong with the cause."""


def queue_with_a_cause_that_fails():
    with transaction.atomic():
        outbox.queue("Door", "It is open")
        raise CauseFailed


def claim_until_given_up():
    """Claim and fail until nothing is left; return the delays between the attempts, in seconds."""
    now, delays = NOW, []
    while claimed := claims.claim_next(now):
        claims.record_failure(claimed, "no answer", permanent=False, now=now)
        row = Notification.objects.get()
        delays.append((row.next_attempt_at - now).total_seconds())
        now = row.next_attempt_at
    return delays


def test_a_message_is_not_queued_when_its_cause_is_rolled_back():
    with pytest.raises(CauseFailed):
        queue_with_a_cause_that_fails()

    assert not Notification.objects.exists()


def test_a_message_without_a_text_is_refused():
    with pytest.raises(ValueError, match="needs a text"):
        outbox.queue("Door", " ")


def test_what_databases_cannot_store_does_not_break_the_cause():
    row = outbox.queue("Door\0", "open\0 \ud800" + "!" * 20_000)

    row.refresh_from_db()
    assert row.title == "Door"
    assert row.body.startswith("open ?!")
    assert len(row.body) <= outbox.MAX_BODY


@pytest.mark.parametrize("name", ["channel", "idempotency_key"])
def test_names_that_are_too_long_are_refused_before_the_database_does(name):
    with pytest.raises(ValueError, match=f"^{name}: has 201 characters"):
        outbox.queue("Door", "It is open", **{name: "x" * 201})


def test_queueing_is_a_single_insert_whatever_the_channel_does(django_assert_num_queries):
    Channel.objects.create(name="family", collapse_seconds=300)

    with django_assert_num_queries(1):
        outbox.queue("Door", "It is open", channel="family")


def test_a_second_message_with_the_same_idempotency_key_is_the_first():
    first = outbox.queue("Door", "It is open", idempotency_key="door:1")

    second = outbox.queue("Door", "It is still open", idempotency_key="door:1")

    assert second == first
    assert Notification.objects.count() == 1


def test_messages_without_a_key_are_all_queued():
    outbox.queue("Door", "It is open")
    outbox.queue("Door", "It is open")

    assert Notification.objects.count() == 2


def test_nothing_is_claimed_from_an_empty_outbox():
    assert claims.claim_next(NOW) is None


def test_a_claimed_message_is_not_claimed_again_while_its_lease_lasts():
    outbox.queue("Door", "It is open")

    assert claims.claim_next(NOW).message.body == "It is open"
    assert claims.claim_next(NOW + claims.LEASE - timedelta(seconds=1)) is None


def test_the_message_of_a_sender_that_died_is_claimed_again_after_the_lease():
    outbox.queue("Door", "It is open")
    claims.claim_next(NOW)

    assert claims.claim_next(NOW + claims.LEASE).attempt == 2


def test_a_sender_that_lost_its_claim_cannot_record_anything():
    outbox.queue("Door", "It is open")
    slow = claims.claim_next(NOW)
    claims.claim_next(NOW + claims.LEASE)

    assert not claims.record_sent(slow, now=NOW)
    assert not claims.record_failure(slow, "no answer", permanent=False, now=NOW)
    assert Notification.objects.get().status == Status.SENDING


def test_a_delivery_renews_the_lease():
    outbox.queue("Door", "It is open")
    claimed = claims.claim_next(NOW)

    claims.record_delivery(claimed, ["phone"], now=NOW + timedelta(seconds=60))

    assert claims.claim_next(NOW + claims.LEASE) is None


def test_a_failed_message_waits_longer_each_time_and_is_then_given_up():
    outbox.queue("Door", "It is open")

    delays = claim_until_given_up()

    row = Notification.objects.get()
    assert (row.status, row.attempts, row.last_error) == (Status.DEAD, DEFAULT.retry.attempts, "no answer")
    assert delays[:6] == sorted(delays[:6])
    assert 8 <= delays[0] <= 12
    assert max(delays) <= 3600 * (1 + JITTER)


def test_retries_of_several_messages_are_spread():
    assert len({DEFAULT.retry_delay(3) for _ in range(20)}) > 10


def test_a_message_that_can_never_be_delivered_is_given_up_at_once():
    outbox.queue("Door", "It is open")

    claims.record_failure(claims.claim_next(NOW), "no such phone", permanent=True, now=NOW)

    assert Notification.objects.get().status == Status.DEAD


def test_a_message_whose_senders_all_die_is_given_up():
    outbox.queue("Door", "It is open")
    now = NOW
    while claims.claim_next(now):
        now += claims.LEASE

    assert claims.give_up_on_lost(now) == 1
    assert Notification.objects.get().status == Status.DEAD


def test_a_message_that_was_given_up_can_be_sent_again():
    outbox.queue("Door", "It is open")
    claim_until_given_up()

    outbox.send_again(Notification.objects.all(), now=NOW)

    assert claims.claim_next(NOW).attempt == 1


def test_the_message_due_for_longest_comes_first():
    outbox.queue("", "second")
    outbox.queue("", "first")
    Notification.objects.filter(body="first").update(next_attempt_at=NOW - timedelta(days=1))

    assert claims.claim_next(NOW).message.body == "first"
