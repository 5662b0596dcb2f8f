"""Each channel has its way: how often it tries, how long it waits, whether it is on."""

from datetime import time, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from notifications import claims, outbox, policies
from notifications.models import Channel, Notification, Status
from notifications.policies import DEFAULT, JITTER

pytestmark = pytest.mark.django_db


def fail(*, permanent=False):
    """Claim what is due, let it fail, and return how long it waits now, in seconds."""
    now = timezone.now()
    claimed = claims.claim_next(now)
    claims.record_failure(claimed, "no answer", permanent=permanent, now=now)
    return (Notification.objects.get(pk=claimed.pk).next_attempt_at - now).total_seconds()


def test_a_channel_without_a_row_has_the_defaults():
    assert policies.load().of("family") == DEFAULT
    assert policies.Policy.of(Channel(name="family")) == DEFAULT


def test_delays_follow_the_channel_and_are_spread(clock):
    Channel.objects.create(name="family", first_delay_seconds=100, longest_delay_seconds=600)
    outbox.queue("Door", "It is open", channel="family")

    delays = []
    for _ in range(5):
        delays.append(fail())
        clock.shift(delays[-1])

    for delay, expected in zip(delays, (100, 250, 600, 600, 600), strict=True):
        assert expected * (1 - JITTER) <= delay <= expected * (1 + JITTER)
    assert len(set(delays)) == 5


def test_a_message_is_given_up_after_as_many_attempts_as_its_channel_allows(clock):
    Channel.objects.create(name="family", attempts=2)
    outbox.queue("Door", "It is open", channel="family")

    clock.shift(fail())
    fail()

    row = Notification.objects.get()
    assert (row.status, row.attempts, row.last_error) == (Status.DEAD, 2, "no answer")


def test_a_message_whose_senders_die_is_given_up_after_as_many_as_its_channel_allows(clock):
    Channel.objects.create(name="family", attempts=2)
    outbox.queue("Door", "It is open", channel="family")
    for _ in range(2):
        claims.claim_next(timezone.now())
        clock.shift(claims.LEASE)

    assert claims.claim_next(timezone.now()) is None
    assert claims.give_up_on_lost(timezone.now()) == 1
    assert Notification.objects.get().status == Status.DEAD


def test_a_message_that_waits_when_fewer_attempts_are_allowed_gets_a_last_one(clock):
    outbox.queue("Door", "It is open", channel="family")
    for _ in range(3):
        clock.shift(fail())
    Channel.objects.create(name="family", attempts=2)

    fail()

    assert Notification.objects.get().status == Status.DEAD


def test_messages_of_a_channel_that_is_off_wait_until_it_is_on(clock):
    channel = Channel.objects.create(name="family", enabled=False)
    outbox.queue("Door", "It is open", channel="family")
    outbox.queue("Door", "It is shut", channel="others")

    assert claims.claim_next(timezone.now()).message.body == "It is shut"
    assert claims.claim_next(timezone.now()) is None

    channel.enabled = True
    channel.save()
    assert claims.claim_next(timezone.now()).message.body == "It is open"


def test_an_urgent_message_goes_through_a_channel_that_is_off():
    Channel.objects.create(name="family", enabled=False)
    outbox.queue("Alarm", "Somebody is in", channel="family", urgent=True)

    assert claims.claim_next(timezone.now()) is not None


def test_an_urgent_message_goes_before_all_that_have_been_due_for_longer(clock):
    for number in range(20):
        outbox.queue("", f"message {number}")
    clock.shift(60)
    outbox.queue("Alarm", "Somebody is in", urgent=True)

    assert claims.claim_next(timezone.now()).message.title == "Alarm"


def test_messages_that_go_to_all_addresses_are_a_channel_too():
    Channel.objects.create(name="", attempts=3)

    assert policies.load().of("").retry.attempts == 3
    assert str(Channel.objects.get()) == "all addresses"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"attempts": 0}, "attempts"),
        ({"attempts": 101}, "attempts"),
        ({"first_delay_seconds": 0}, "first_delay_seconds"),
        ({"first_delay_seconds": 86_401}, "first_delay_seconds"),
        ({"first_delay_seconds": 20, "longest_delay_seconds": 10}, "longest_delay_seconds"),
        ({"quiet_from": time(22)}, "quiet_until"),
        ({"quiet_until": time(7)}, "quiet_from"),
        ({"quiet_from": time(7), "quiet_until": time(7)}, "quiet_until"),
        ({"time_zone": "Europe/Nowhere"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"collapse_seconds": 86_401}, "collapse_seconds"),
    ],
    ids=str,
)
def test_a_channel_that_cannot_work_is_refused_with_the_field(values, field):
    with pytest.raises(ValidationError) as refusal:
        Channel.objects.create(name="family", **values)

    assert field in refusal.value.message_dict


def test_there_is_one_row_for_a_channel():
    Channel.objects.create(name="family")

    with pytest.raises(ValidationError):
        Channel.objects.create(name="family")


def test_a_change_counts_from_the_next_attempt_on(clock):
    channel = Channel.objects.create(name="family", first_delay_seconds=10)
    outbox.queue("Door", "It is open", channel="family")
    clock.shift(timedelta(seconds=fail()))

    channel.first_delay_seconds = 1000
    channel.save()

    assert fail() > 1000
